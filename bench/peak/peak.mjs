// The engine's peaks in GMAC/s, measured in this process.
import asc from 'assemblyscript/asc';

/** Multiply-adds of a turn of the loop: of a vector, times chains, times steps. */
const KERNELS = {
  f32_mul_add: { source: 'peak', madds: 4 * 6 * 2 },
  i16_dot_add: { source: 'peak', madds: 8 * 6 * 2 },
  f32_relaxed_madd: { source: 'relaxed-peak', madds: 4 * 8 },
  i8_relaxed_dot_add: { source: 'relaxed-peak', madds: 16 * 8 },
};
/** Where the operands lie: 1 KiB. */
const BUFFER = 1024;
const STEPS = 2_000_000;
const TRIES = 7;

async function compiled(source) {
  const features = source === 'peak' ? ['simd'] : ['simd', 'relaxed-simd'];
  const { error, stderr, binary } = await compileString(`bench/peak/${source}.ts`, features);
  if (error) throw new Error(stderr);
  if (!WebAssembly.validate(binary)) return undefined;
  const { exports } = (await WebAssembly.instantiate(binary, {})).instance;
  new Float32Array(exports.memory.buffer, BUFFER, 256).fill(0.5);
  return exports;
}

async function compileString(file, features) {
  let binary;
  const { error, stderr } = await asc.main(
    [
      file,
      '--outFile',
      'peak.wasm',
      '-O3',
      '--config',
      'none',
      '--runtime',
      'stub',
      '--initialMemory',
      '1',
      ...features.flatMap((feature) => ['--enable', feature]),
    ],
    {
      writeFile: (name, contents) => {
        if (name.endsWith('.wasm')) binary = contents;
      },
    },
  );
  return { error, stderr: stderr.toString(), binary };
}

/** @returns name -> GMAC/s; what the engine does not have is left out */
export async function peaks() {
  const modules = { peak: await compiled('peak'), 'relaxed-peak': await compiled('relaxed-peak') };
  const result = {};
  for (const [name, { source, madds }] of Object.entries(KERNELS)) {
    const kernel = modules[source]?.[name];
    if (!kernel) continue;
    kernel(BUFFER, STEPS);
    const times = Array.from({ length: TRIES }, () => {
      const start = performance.now();
      kernel(BUFFER, STEPS);
      return performance.now() - start;
    });
    result[name] = (madds * STEPS) / Math.min(...times) / 1e6;
  }
  return result;
}
