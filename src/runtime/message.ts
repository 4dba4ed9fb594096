/** Element types by their ONNX number that the Node binding cannot pass. */
const foreign: Readonly<Record<string, string>> = {
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  23: 'float4e2m1',
};

/** Known messages in plainer words. */
const plain: readonly (readonly [RegExp, (found: RegExpMatchArray) => string])[] = [
  [/protobuf parsing failed|INVALID_PROTOBUF/i, () => 'the file is truncated or is not an ONNX model'],
  [/Model data pointer is null/, () => 'the file is empty'],
  [/File doesn't exist/, () => 'the file does not exist'],
  [
    /^Unsupported data type: (\d+)$/,
    ([, n]) =>
      `one of its inputs or outputs is of type ${foreign[n] ?? n}, which ONNX Runtime's Node binding cannot pass; add a Cast to float32`,
  ],
  [/External data path does not exist: "?([^"]*)"?/, ([, path]) => `its external data file '${path}' is missing`],
];

/** `/src/x.cc:12 ns::f(const T&) [with …] condition was false. ` and its shorter forms. */
const origin =
  /(?:[A-Za-z]:)?[\w./\\@+-]*\.(?:cc|cpp|cxx|h|hpp|cu|cuh|mm):\d+ (?:[\w:<>&*~, ]*\((?:[^()]|\([^()]*\))*\)(?: const)?(?:::<lambda\([^)]*\)>)?(?: \[with [^\]]*\])? |[A-Z][a-z]+[A-Z]\w* )?(?:.*? was false\. ?)?/g;

const longest = 300;

/** The useful part of an error of ONNX Runtime: without addresses in its sources, folders and prefixes; no final stop. */
export const sentenceOf = (error: unknown, folders: readonly string[] = []): string => {
  let text = error instanceof Error ? error.message : String(error);
  for (const folder of folders) if (folder.length > 1) text = text.replaceAll(`${folder}/`, '').replaceAll(`${folder}\\`, '');
  text = text
    .replace(/\[ONNXRuntimeError\] : \d+ : \w+ : /g, '')
    .replace(/Load model from .*? failed: ?/g, '')
    .replace(/Exception during initialization: /g, '')
    .replace(/Non-zero status code returned while running (\S+) node\. Name:'([^']*)' Status Message: /g, (_, op, name) =>
      name ? `node '${name}' (${op}): ` : `node of type ${op}: `,
    )
    .replace(origin, '')
    .replace(/^This is an invalid model\. /, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\.+$/, '');
  for (const [pattern, say] of plain) {
    const found = text.match(pattern);
    if (found) return say(found);
  }
  if (text.length <= longest) return text || 'no reason was given';
  const stop = text.lastIndexOf('. ', longest);
  return stop > 80 ? text.slice(0, stop) : `${text.slice(0, longest)}…`;
};

/** Whether a message says that memory ran out. */
export const outOfMemory = (error: unknown): boolean =>
  /out of memory|bad_alloc|bad allocation|failed to allocate memory|cannot allocate memory|\bOOM\b/i.test(
    error instanceof Error ? error.message : '',
  );

/** The node at which a run failed, under the name it has in the file: layout passes append `_token_7`. */
export const failedNode = (error: unknown): string | undefined => {
  const { message, cause } = error instanceof Error ? error : new Error();
  return /Name:'([^']+)' Status Message/.exec(message)?.[1].replace(/_token_\d+$/, '') ?? (cause ? failedNode(cause) : undefined);
};
