/** What a caller names, and the files beside it. */
export interface Source {
  /** Where it has one: 'model.json'. */
  readonly name?: string;
  /** Whether to ask for a file that may not be there costs nothing: a folder and a list of files do not mind, a server does. */
  readonly listed: boolean;
  bytes(): Promise<Uint8Array>;
  /** @throws InputError where there is no such file, or no place to look in */
  beside(name: string): Promise<Uint8Array>;
}

/** How 'hf:' sources are fetched. */
export interface HubOptions {
  /** A mirror; HF_ENDPOINT in Node. */
  readonly endpoint?: string;
  /** For repositories that are not public; HF_TOKEN in Node. */
  readonly token?: string;
  /** Use what the cache holds and ask nobody; HF_HUB_OFFLINE=1 in Node. */
  readonly offline?: boolean;
}
