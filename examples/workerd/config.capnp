using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "pictures", worker = .pictures)],
  sockets = [(name = "http", address = "127.0.0.1:8080", http = (), service = "pictures")],
);

const pictures :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "dist/worker.js"),
    (name = "baseline.wasm", wasm = embed "dist/baseline.wasm"),
    (name = "relaxed.wasm", wasm = embed "dist/relaxed.wasm"),
    (name = "model.safetensors", data = embed "dist/model.safetensors"),
  ],
  compatibilityDate = "2026-11-01",
);
