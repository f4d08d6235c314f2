// What the reports are made of: pages that need nothing else, no script and no other file.

export const escaped = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
/** Nothing where the share is unknown. */
export const percent = (share: number) => (Number.isNaN(share) ? '' : `${(share * 100).toFixed(2)} %`);
export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;

const STYLE = `
:root { color-scheme: light dark; --float: #3b6fb6; --int8: #d9822b; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } .scroll { overflow-x: auto; } .scroll td + td { white-space: nowrap; }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: .2rem .7rem; align-items: center; }
.bars i { display: block; height: 1rem; border-radius: 2px; background: var(--float); } .bars i.int8 { background: var(--int8); }
.bars.layers { font-size: 12px; } .bars.layers i { height: .6rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; padding: 0; list-style: none; }
.pictures img { width: 100%; border-radius: 4px; } .pictures dl { margin: 0; font-size: 12px; display: grid; grid-template-columns: auto 1fr; gap: 0 .4rem; }
dd { margin: 0; } dt { color: #888; } .right { font-weight: 600; }
`;

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly text: string;
  readonly int8: boolean;
}

export function bars(rows: readonly Bar[], kind = ''): string {
  const largest = Math.max(...rows.map(({ value }) => value), 1e-9);
  const line = ({ name, value, text, int8 }: Bar) =>
    `<span>${escaped(name)}</span><i${int8 ? ' class="int8"' : ''} style="width:${((Math.max(value, 0) / largest) * 100).toFixed(2)}%"></i><span>${text}</span>`;
  return `<div class="bars ${kind}">${rows.map(line).join('\n')}</div>`;
}

/** A whole page. */
export const page = (title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${STYLE}</style></head>
<body><h1>${title}</h1>
${body}
</body></html>
`;
