import { Command, Option } from 'commander';
import { loadLocalModel } from '../model/local-model.js';
import { weightsOption } from './options.js';
import { megabytes, say, write } from './output.js';

interface Options {
  readonly weights: string;
  readonly output: string;
  readonly names?: 'torchvision' | 'timm';
  readonly precision?: 'float32';
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
    .action(convert);

async function convert({ weights, output, names, precision }: Options): Promise<void> {
  const model = await loadLocalModel(weights, precision ? { precision } : {});
  const bytes = model.save(names ? { names } : {});
  await write(output, bytes);
  say(output, `${model.architecture}, ${model.precision}: ${megabytes(bytes.length)} written to ${output}`);
}
