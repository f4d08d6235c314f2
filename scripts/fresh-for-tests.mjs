// Jest's globalSetup: no test runs on binaries, workers or a dist/ that their sources have outgrown.
import { refresh } from './fresh.mjs';

export default () => refresh({ fast: true });
