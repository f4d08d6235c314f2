import { type ConvNode, type Graph, INPUT, type Node, outputNames, renameOutputs } from './graph.js';
import type { FloatWeights, Network } from './network.js';

/**
 * A float network while it is rewritten. Tensors keep the names of the nodes that made them first; a node that takes over the
 * work of another stands in that one's place, under a label that is told at the end.
 */
export class Draft {
  private readonly nodes: Map<string, Node>;
  private readonly counts = new Map<string, number>();
  private readonly weights: Map<string, FloatWeights>;
  private readonly labels = new Map<string, string>();
  private preprocessing;
  changes = 0;

  constructor(private readonly network: Network) {
    this.nodes = new Map(network.graph.nodes.map((node) => [node.name, node]));
    this.weights = new Map(network.weights as ReadonlyMap<string, FloatWeights>);
    this.preprocessing = network.preprocessing;
    for (const { inputs } of this.nodes.values()) for (const name of inputs) this.count(name, 1);
    for (const name of this.outputs()) this.count(name, 1);
  }

  /** What must not disappear. */
  private outputs(): readonly string[] {
    return outputNames(this.network.graph.outputs);
  }

  private count(name: string, by: number): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }

  /** As they are now; nodes may be replaced and removed meanwhile. */
  *[Symbol.iterator](): Generator<Node> {
    for (const name of [...this.nodes.keys()]) {
      const node = this.nodes.get(name);
      if (node) yield node;
    }
  }

  node(name: string | undefined): Node | undefined {
    return name === undefined ? undefined : this.nodes.get(name);
  }

  weightsOf(node: ConvNode): FloatWeights {
    return this.weights.get(node.name) as FloatWeights;
  }

  /** The node that makes a tensor which nothing but one reader reads. */
  soleProducer(name: string | undefined): Node | undefined {
    return name !== undefined && this.counts.get(name) === 1 ? this.nodes.get(name) : undefined;
  }

  soleReaderOfImage(): boolean {
    return this.counts.get(INPUT) === 1;
  }

  /** Another node in a node's place: the same tensor, computed otherwise. */
  replace(old: Node, node: Node, weights?: FloatWeights): Node {
    const placed = { ...node, name: old.name };
    for (const name of node.inputs) this.count(name, 1);
    this.nodes.set(old.name, placed);
    if (weights) this.weights.set(old.name, weights);
    else if (old.kind === 'conv' && node.kind !== 'conv') this.weights.delete(old.name);
    for (const name of old.inputs) this.release(name);
    this.changes++;
    return placed;
  }

  /** `producer`, which only `gone` reads, does that node's work as well and stands in its place. */
  absorb(producer: Node, gone: Node, change: Partial<ConvNode> = {}, weights?: FloatWeights): void {
    const label = this.labels.get(producer.name) ?? producer.name;
    const own = producer.kind === 'conv' ? (weights ?? this.weightsOf(producer)) : undefined;
    this.replace(gone, { ...producer, ...change } as Node, own);
    this.labels.set(gone.name, label);
  }

  /** A node between a node and its input `name`. */
  insertBefore(reader: Node, index: number, node: Node): void {
    const name = `${reader.name} input ${index}${node.name}`;
    const placed = { ...node, name };
    const rebuilt = [...this.nodes].flatMap(([key, other]) =>
      key === reader.name ? [[name, placed] as const, [key, other] as const] : [[key, other] as const],
    );
    this.nodes.clear();
    for (const [key, other] of rebuilt) this.nodes.set(key, other);
    for (const input of node.inputs) this.count(input, 1);
    this.replace(reader, { ...reader, inputs: reader.inputs.map((input, i) => (i === index ? name : input)) });
  }

  /** What read the node reads its input: the node changes nothing. The network's output keeps a node of its own. */
  bypass(node: Node): void {
    const input = node.inputs[0] as string;
    if (this.outputs().includes(node.name)) {
      const producer = this.soleProducer(input);
      if (producer) this.absorb(producer, node);
      return;
    }
    for (const reader of this.nodes.values()) {
      if (!reader.inputs.includes(node.name)) continue;
      const inputs = reader.inputs.map((name) => (name === node.name ? input : name));
      for (const name of reader.inputs) if (name === node.name) this.count(input, 1);
      this.nodes.set(reader.name, { ...reader, inputs });
    }
    this.counts.set(node.name, 0);
    this.remove(node);
    this.changes++;
  }

  setWeights(node: ConvNode, weights: FloatWeights): void {
    this.weights.set(node.name, weights);
    this.changes++;
  }

  setPreprocessing(change: (now: Network['preprocessing']) => Network['preprocessing']): void {
    this.preprocessing = change(this.preprocessing);
  }

  private release(name: string): void {
    this.count(name, -1);
    const node = this.nodes.get(name);
    if (node && this.counts.get(name) === 0) this.remove(node);
  }

  private remove(node: Node): void {
    this.nodes.delete(node.name);
    this.weights.delete(node.name);
    for (const name of node.inputs) this.release(name);
  }

  finish(): Network {
    if (this.changes === 0) return this.network;
    const named = (name: string) => (name === INPUT ? name : (this.labels.get(name) ?? name));
    const nodes = [...this.nodes.values()].map((node) => ({ ...node, name: named(node.name), inputs: node.inputs.map(named) }));
    const graph: Graph = { ...this.network.graph, nodes, outputs: renameOutputs(this.network.graph.outputs, named) };
    const weights = new Map([...this.weights].map(([name, own]) => [named(name), own]));
    return { ...this.network, graph, weights, preprocessing: this.preprocessing };
  }
}
