// Before the tests of examples/: both packages are built, packed, and unpacked where the examples import them.
import { installPackages } from './examples.mjs';
import fresh from './fresh-for-tests.mjs';

export default () => {
  fresh();
  installPackages();
};
