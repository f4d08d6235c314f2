import { loadModel } from 'mobilenet-v3-wasm';
import { useEffect, useState } from 'react';

/** A model that lives as long as its component: { model, progress, error }. */
export function useModel(source) {
  const [state, setState] = useState({ progress: 0 });
  useEffect(() => {
    const abort = new AbortController();
    let loaded;
    loadModel(source, {
      worker: true,
      signal: abort.signal,
      onProgress: (bytes, total) => total && setState({ progress: bytes / total }),
    }).then(
      (model) => {
        loaded = model;
        if (abort.signal.aborted) model.dispose();
        else setState({ model, progress: 1 });
      },
      (error) => abort.signal.aborted || setState({ progress: 0, error }),
    );
    // Strict mode mounts twice: what the first mount began is given up, and its memory goes back.
    return () => {
      abort.abort();
      loaded?.dispose();
    };
  }, [source]);
  return state;
}

/** What a picture shows; a newer picture makes an unfinished answer void. */
export function usePredictions(model, picture) {
  const [predictions, setPredictions] = useState([]);
  useEffect(() => {
    if (!model || !picture) return undefined;
    const abort = new AbortController();
    model.classify(picture, { topK: 4, signal: abort.signal }).then(setPredictions, (error) => {
      if (!abort.signal.aborted) throw error;
    });
    return () => abort.abort();
  }, [model, picture]);
  return predictions;
}
