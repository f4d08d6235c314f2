import { Command, Option } from 'commander';
import { loadLocalModel } from '../model/local-model.js';
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
    .description('any weights that are read to safetensors')
    .addOption(weightsOption())
    .requiredOption('-o, --output <file>', 'where to write')
    .addOption(
      new Option('--names <convention>', "tensor names and layouts; this package's own without it").choices(['torchvision', 'timm']),
    )
    .addOption(new Option('-p, --precision <precision>', 'the float network behind a quantized file').choices(['float32']))
    .addOption(jsonOption('what was written'))
    .addHelpText(
      'after',
      examples([
        'for Python: load_state_dict() takes the file',
        'convert --weights model.tflite --output model.safetensors --names torchvision',
      ]),
    )
    .action(convert);

async function convert({ weights, output, names, precision, json }: Options): Promise<void> {
  checkOutputs({ output, json });
  const model = await loadLocalModel(weights, precision ? { precision } : {});
  const bytes = model.save(names ? { names } : {});
  await write(output, bytes);
  if (output !== '-') say(json, `${model.architecture}, ${model.precision}: ${megabytes(bytes.length)} written to ${output}`);
  if (json) await writeJson(json, { architecture: model.architecture, precision: model.precision, output, bytes: bytes.length });
}
