// Every address that the hub is asked at, in one place. https://huggingface.co/docs/hub/api

export const HUB = 'https://huggingface.co';

/** The commit that a revision is, and its files with their sizes and, for large ones, their SHA-256. */
export const infoAddress = (endpoint: string, repository: string, revision: string) =>
  `${endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;

/** A file's content; large ones are redirected to. */
export const fileAddress = (endpoint: string, repository: string, commit: string, file: string) =>
  `${endpoint}/${repository}/resolve/${commit}/${file.split('/').map(encodeURIComponent).join('/')}`;

export interface HubFile {
  /** owner/name */
  readonly repository: string;
  /** 'main', a branch, a tag or a commit. */
  readonly revision: string;
  /** Undefined: the repository's one weights file. */
  readonly file?: string;
}

/** 'hf:owner/name', 'hf:owner/name/file', 'hf:owner/name@revision/file'; undefined for anything else. */
export function parseHubSource(source: string): HubFile | undefined {
  const match = /^hf:([\w.-]+\/[\w.-]+)(?:@([\w.-]+))?(?:\/([\w./-]+))?$/.exec(source);
  const [, repository, revision = 'main', file] = match ?? [];
  const names = [repository, revision, file].flatMap((part) => part?.split('/') ?? []);
  if (!repository || names.some((name) => name === '' || name === '.' || name === '..')) return undefined;
  return { repository, revision, ...(file ? { file } : {}) };
}
