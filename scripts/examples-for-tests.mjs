// Before the tests of examples/: the package is built, packed, and unpacked where the examples import it.
import { installPackage } from './examples.mjs';
import fresh from './fresh-for-tests.mjs';

export default () => {
  fresh();
  installPackage();
};
