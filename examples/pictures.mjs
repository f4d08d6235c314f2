// The pictures of this repository, for examples that need some.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('..', import.meta.url));

/** The paths of all pictures below a folder of the repository. */
export const listPictures = (folder) =>
  readdirSync(`${repository}${folder}`, { recursive: true })
    .filter((name) => name.endsWith('.jpg'))
    .sort()
    .map((name) => `${repository}${folder}/${name}`);
