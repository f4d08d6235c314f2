import { ModelFormatError } from '../../errors.js';

/*
 * A pickle machine that can build dictionaries, lists, tuples, numbers, strings and tensors, and nothing else: a global
 * is one of a short list, and calling it makes plain data (Python's pickletools.py documents the opcodes). No object of
 * JavaScript's is ever reached by a name from the file.
 */

/** A tensor's place in its storage: what torch._utils._rebuild_tensor_v2 is called with. */
export interface PickledTensor {
  readonly kind: 'tensor';
  /** Of the storage: 'FloatStorage', its key in the archive, its number of elements. */
  readonly storage: { readonly type: string; readonly key: string };
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

class Global {
  constructor(readonly name: string) {}
}
class Dictionary {
  readonly entries = new Map<unknown, unknown>();
}
class Storage {
  constructor(
    readonly type: string,
    readonly key: string,
  ) {}
}
const MARK = Symbol('mark');

const STORAGES = /^torch\.(Float|Half|BFloat16|Long|Int|Short|Char|Byte|Bool|Double)Storage$/;
const CALLABLE = new Set(['collections.OrderedDict', 'torch._utils._rebuild_tensor_v2', 'torch._utils._rebuild_parameter']);
const MOST_STEPS = 1_000_000;

/** @returns the dictionary's entries that have string keys; tensors as PickledTensor, dictionaries as maps */
export function unpickle(bytes: Uint8Array): ReadonlyMap<string, unknown> {
  const machine = new Machine(bytes);
  const value = machine.run();
  if (!(value instanceof Dictionary)) throw new ModelFormatError('pickle: the file holds no dictionary of tensors.');
  return stringKeys(value);
}

function stringKeys({ entries }: Dictionary): ReadonlyMap<string, unknown> {
  const result = new Map<string, unknown>();
  for (const [key, value] of entries) if (typeof key === 'string') result.set(key, value instanceof Dictionary ? stringKeys(value) : value);
  return result;
}

class Machine {
  private at = 0;
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private fail(what: string): never {
    throw new ModelFormatError(`pickle: ${what} at byte ${this.at}; the file is damaged, or holds more than tensors.`);
  }

  private take(count: number): number {
    const start = this.at;
    if (start + count > this.bytes.length) this.fail(`${count} bytes are missing`);
    this.at += count;
    return start;
  }

  private u8 = () => this.view.getUint8(this.take(1));
  private u16 = () => this.view.getUint16(this.take(2), true);
  private i32 = () => this.view.getInt32(this.take(4), true);
  private u32 = () => this.view.getUint32(this.take(4), true);

  private text(length: number): string {
    const start = this.take(length);
    return new TextDecoder().decode(this.bytes.subarray(start, start + length));
  }

  private line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) this.fail('a line has no end');
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  private long(): number {
    const length = this.u8();
    if (length > 6) this.fail(`an integer of ${length} bytes`);
    let value = 0;
    for (let i = 0; i < length; i++) value += this.u8() * 2 ** (8 * i);
    return length > 0 && value >= 2 ** (8 * length - 1) ? value - 2 ** (8 * length) : value;
  }

  private pop(): unknown {
    if (this.stack.length === 0) this.fail('the stack is empty');
    return this.stack.pop();
  }

  private popToMark(): unknown[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark < 0) this.fail('no mark');
    const items = this.stack.splice(mark);
    return items.slice(1);
  }

  private get top(): unknown {
    return this.stack.length > 0 ? this.stack[this.stack.length - 1] : this.fail('the stack is empty');
  }

  private remembered(index: number): unknown {
    return this.memo.has(index) ? this.memo.get(index) : this.fail(`nothing is remembered as ${index}`);
  }

  private setItems(items: readonly unknown[]): void {
    const target = this.top;
    if (!(target instanceof Dictionary) || items.length % 2 !== 0) this.fail('items for what is no dictionary');
    for (let i = 0; i < items.length; i += 2) (target as Dictionary).entries.set(items[i], items[i + 1]);
  }

  private append(items: readonly unknown[]): void {
    const target = this.top;
    if (!Array.isArray(target)) this.fail('an append to what is no list');
    (target as unknown[]).push(...items);
  }

  run(): unknown {
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const op = String.fromCharCode(this.u8());
      switch (op) {
        case '\x80':
          this.u8();
          break;
        case '.':
          return this.pop();
        case '(':
          this.stack.push(MARK);
          break;
        case '0':
          this.pop();
          break;
        case 'N':
          this.stack.push(undefined);
          break;
        case '\x88':
          this.stack.push(true);
          break;
        case '\x89':
          this.stack.push(false);
          break;
        case 'K':
          this.stack.push(this.u8());
          break;
        case 'M':
          this.stack.push(this.u16());
          break;
        case 'J':
          this.stack.push(this.i32());
          break;
        case '\x8a':
          this.stack.push(this.long());
          break;
        case 'G':
          this.stack.push(this.view.getFloat64(this.take(8)));
          break;
        case 'X':
          this.stack.push(this.text(this.u32()));
          break;
        case '\x8c':
          this.stack.push(this.text(this.u8()));
          break;
        case ')':
          this.stack.push([]);
          break;
        case ']':
          this.stack.push([]);
          break;
        case '}':
          this.stack.push(new Dictionary());
          break;
        case 't':
          this.stack.push(this.popToMark());
          break;
        case '\x85':
          this.stack.push([this.pop()]);
          break;
        case '\x86':
          this.stack.push([this.pop(), this.pop()].reverse());
          break;
        case '\x87':
          this.stack.push([this.pop(), this.pop(), this.pop()].reverse());
          break;
        case 'q':
          this.memo.set(this.u8(), this.top);
          break;
        case 'r':
          this.memo.set(this.u32(), this.top);
          break;
        case 'h':
          this.stack.push(this.remembered(this.u8()));
          break;
        case 'j':
          this.stack.push(this.remembered(this.u32()));
          break;
        case 's':
          this.setItems([this.pop(), this.pop()].reverse());
          break;
        case 'u':
          this.setItems(this.popToMark());
          break;
        case 'a':
          this.append([this.pop()]);
          break;
        case 'e':
          this.append(this.popToMark());
          break;
        case 'b':
          this.pop();
          break; // an object's attributes: a state_dict's _metadata, which no layer reads
        case 'c':
          this.global(`${this.line()}.${this.line()}`);
          break;
        case 'Q':
          this.persistent();
          break;
        case 'R':
          this.call();
          break;
        default:
          this.fail(`opcode 0x${op.charCodeAt(0).toString(16)}`);
      }
    }
    return this.fail('no end');
  }

  private global(name: string): void {
    if (!CALLABLE.has(name) && !STORAGES.test(name)) {
      throw new ModelFormatError(
        `pickle: the file asks for ${name}; only tensors and dictionaries are built. Save model.state_dict(), not the model.`,
      );
    }
    this.stack.push(new Global(name));
  }

  /** ('storage', storage type, key, device, elements) */
  private persistent(): void {
    const id = this.pop();
    const [what, type, key] = Array.isArray(id) ? id : [];
    if (what !== 'storage' || !(type instanceof Global) || !STORAGES.test(type.name) || typeof key !== 'string')
      this.fail('a reference to no storage');
    this.stack.push(new Storage((type as Global).name.slice('torch.'.length), key as string));
  }

  private call(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof Global) || !Array.isArray(args)) this.fail('a call of what is no function');
    const { name } = callee as Global;
    const list = args as unknown[];
    if (name === 'collections.OrderedDict' && list.length === 0) this.stack.push(new Dictionary());
    else if (name === 'torch._utils._rebuild_parameter') this.stack.push(list[0]);
    else if (name === 'torch._utils._rebuild_tensor_v2') {
      const [storage, offset, shape, strides] = list;
      const whole = (values: unknown) => Array.isArray(values) && values.every((value) => Number.isSafeInteger(value) && value >= 0);
      if (!(storage instanceof Storage) || !whole([offset]) || !whole(shape) || !whole(strides)) this.fail('a tensor of no shape');
      const { type, key } = storage as Storage;
      this.stack.push({ kind: 'tensor', storage: { type, key }, offset, shape, strides } as PickledTensor);
    } else this.fail(`a call of ${name}`);
  }
}
