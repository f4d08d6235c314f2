import { Command } from 'commander';
import { describe } from '../architecture/describe.js';
import { ARCHITECTURE_NAMES, type ArchitectureName } from '../architecture/tables.js';
import type { NetworkSummary } from '../graph/summary.js';
import { loadModel } from '../load.js';
import type { Model } from '../model/model.js';
import { examples, jsonOption } from './options.js';
import { megabytes, millions, say, writeJson } from './output.js';
import { textTable } from './table.js';

export const inspectCommand = () =>
  new Command('inspect')
    .description("a weights file's architecture, blocks, parameters and multiply-adds; or an architecture's, by name")
    .argument('[weights]', `a weights file, or one of ${ARCHITECTURE_NAMES.join(', ')}`)
    .option('-w, --weights <file>', 'the weights file')
    .addOption(jsonOption('the summary'))
    .addHelpText(
      'after',
      examples(['a file', 'inspect model.safetensors'], ['an architecture, as JSON', 'inspect mobilenet_v3_large --json -']),
    )
    .action(inspect);

/** What is known of a file and not of an architecture by its name. */
type Facts = Partial<Pick<Model, 'precision' | 'memory' | 'preprocessing'>> & { readonly fileBytes?: number | undefined };

const isArchitecture = (name: string): name is ArchitectureName => (ARCHITECTURE_NAMES as readonly string[]).includes(name);

async function inspect(argument: string | undefined, options: { weights?: string; json?: string }, command: Command): Promise<void> {
  const source = options.weights ?? argument;
  if (!source) command.error('error: a weights file or the name of an architecture is missing');
  let summary: NetworkSummary;
  let file: Facts = {};
  if (isArchitecture(source)) summary = describe(source);
  else {
    let fileBytes: number | undefined;
    const model = await loadModel(source, {
      onProgress: (loaded) => {
        fileBytes = loaded;
      },
    });
    summary = model.summary;
    file = { precision: model.precision, fileBytes, memory: model.memory, preprocessing: model.preprocessing };
  }
  say(options.json, render(summary, file));
  if (options.json) await writeJson(options.json, { ...summary, ...file });
}

function render(summary: NetworkSummary, file: Facts): string {
  const { architecture, width, resolution, classes, parameters, madds, blocks } = summary;
  const table = textTable(['block', 'input', 'operator', 'output', 'SE', 'activation', 'expand', 'stride', 'parameters', 'MAdds'], {
    right: 6,
    compact: true,
  });
  for (const block of blocks) {
    table.push([
      block.name,
      block.input.join('x'),
      `${block.expand ? 'bneck' : 'conv2d'} ${block.kernel}x${block.kernel}`,
      block.output[2],
      block.squeezeExcite ? 'yes' : '',
      block.activation,
      block.expand ?? '',
      block.stride,
      block.parameters.toLocaleString('en'),
      millions(block.madds),
    ]);
  }
  const facts = [
    `${architecture}, width ${width}, ${resolution}x${resolution}, ${classes} classes`,
    ...(file.precision ? [file.precision + (file.fileBytes === undefined ? '' : `, ${megabytes(file.fileBytes)}`)] : []),
    `${parameters.toLocaleString('en')} parameters, ${millions(madds)} MAdds`,
  ];
  return `${facts.join(' | ')}\n${table}`;
}
