import { Command, Option } from 'commander';
import { InputError } from '../errors.js';
import { sessionOf } from '../model/local-model.js';
import type { Model } from '../model/model.js';
import { load } from './models.js';
import { examples, jsonOption, weightsOption } from './options.js';
import { checkOutputs, megabytes, say, write, writeJson } from './output.js';

interface Options {
  readonly weights: string;
  readonly output: string;
  readonly names?: 'torchvision' | 'timm';
  readonly precision?: 'float32';
  readonly json?: string;
}

export const convertCommand = () =>
  new Command('convert')
    .description('any weights that are read to safetensors, or to .onnx or .tflite for other runtimes')
    .addOption(weightsOption())
    .requiredOption(
      '-o, --output <file>',
      'where to write; its ending says as what: .onnx (int8 in QDQ form), .tflite (int8 with 16-bit activations), else safetensors',
    )
    .addOption(
      new Option('--names <convention>', "tensor names and layouts; this package's own without it").choices(['torchvision', 'timm']),
    )
    .addOption(new Option('-p, --precision <precision>', 'the float network behind a quantized file').choices(['float32']))
    .addOption(jsonOption('what was written'))
    .addHelpText(
      'after',
      examples(
        [
          'from the hub, with labels and how images are prepared, in one file',
          'convert --weights hf:timm/mobilenetv3_small_100.lamb_in1k --output small.safetensors',
        ],
        ['for Python: load_state_dict() takes the file', 'convert --weights model.tflite --output model.safetensors --names torchvision'],
      ),
    )
    .action(convert);

async function convert({ weights, output, names, precision, json }: Options): Promise<void> {
  checkOutputs({ output, json });
  const model = await load(weights, precision);
  const bytes = await written(model, output, names);
  await write(output, bytes);
  if (output !== '-') say(json, `${model.architecture}, ${model.precision}: ${megabytes(bytes.length)} written to ${output}`);
  if (json) await writeJson(json, { architecture: model.architecture, precision: model.precision, output, bytes: bytes.length });
}

/** Writers for other runtimes are loaded when they are asked for. */
async function written(model: Model, output: string, names: Options['names']): Promise<Uint8Array> {
  const ending = /\.(onnx|tflite)$/.exec(output)?.[1];
  if (!ending) return model.save(names ? { names } : {});
  if (names) throw new InputError(`--names ${names} is for safetensors; leave it out for .${ending}.`);
  const { network } = sessionOf(model);
  if (ending === 'onnx') return (await import('../weights/onnx/write.js')).writeOnnx(network);
  return (await import('../weights/tflite/write.js')).writeTflite(network);
}
