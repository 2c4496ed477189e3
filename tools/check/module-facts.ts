import {
  type BindingPattern,
  type Expression,
  type ParamPattern,
  type Program,
  type PropertyKey,
  parseSync,
  type VisitorObject,
  Visitor,
} from 'oxc-parser';

/** One import or re-export of a module. `isTypeOnly` when nothing of it is left at run time. */
export type ImportFact = { readonly specifier: string; readonly line: number; readonly isTypeOnly: boolean };

/** A name and where it stands. */
export type NameFact = { readonly name: string; readonly line: number };

/** A function: its first line, how many lines it has, and what it is called if it has a name. */
export type FunctionFact = { readonly name: string; readonly line: number; readonly lineCount: number };

/** What the checks want to know of one module. */
export type ModuleFacts = {
  readonly imports: readonly ImportFact[];
  readonly defaultExportLines: readonly number[];
  /** True when the module only passes on what others export. */
  readonly isBarrel: boolean;
  readonly functions: readonly FunctionFact[];
  /** `object.property` as written, where the object is a plain name; otherwise `.property`. */
  readonly members: readonly NameFact[];
  /** Names given here: variables, parameters, properties of types and classes, keys of Type.Object. */
  readonly declared: readonly NameFact[];
};

type LineOf = (offset: number) => number;
type Collector<Fact> = { readonly found: Fact[]; readonly visitor: VisitorObject };

const remembered = new Map<string, ModuleFacts>();

/**
 * Parses a module (ts, tsx, mjs) and collects what the checks ask about. Throws with the parser's own words when the
 * text is no module: a check that cannot read must not pass.
 */
export function moduleFacts(path: string, text: string): ModuleFacts {
  const key = `${path}\n${text}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const parsed = parseSync(path, text);
  const [error] = parsed.errors;
  if (error !== undefined) throw new Error(`${path}: cannot be parsed: ${error.message}`);
  const facts = collect(parsed.program, lineFinder(text));
  remembered.set(key, facts);
  return facts;
}

function collect(program: Program, lineOf: LineOf): ModuleFacts {
  const imports = importCollector(lineOf);
  const defaults = defaultExportCollector(lineOf);
  const functions = functionCollector(lineOf);
  const members = memberCollector(lineOf);
  const declared = declaredCollector(lineOf);
  for (const collector of [imports, defaults, functions, members, declared]) {
    new Visitor(collector.visitor).visit(program);
  }
  return {
    imports: imports.found,
    defaultExportLines: defaults.found,
    isBarrel: isBarrel(program),
    functions: functions.found,
    members: members.found,
    declared: declared.found,
  };
}

function importCollector(lineOf: LineOf): Collector<ImportFact> {
  const found: ImportFact[] = [];
  const add = (specifier: string, start: number, isTypeOnly: boolean): void => {
    found.push({ specifier, line: lineOf(start), isTypeOnly });
  };
  return {
    found,
    visitor: {
      ImportDeclaration: (node) => {
        const parts = node.specifiers.filter((part) => part.type === 'ImportSpecifier');
        const isEachType = parts.length === node.specifiers.length && parts.every((part) => part.importKind === 'type');
        add(node.source.value, node.start, node.importKind === 'type' || (parts.length > 0 && isEachType));
      },
      ExportNamedDeclaration: (node) => {
        if (node.source !== null) add(node.source.value, node.start, node.exportKind === 'type');
      },
      ExportAllDeclaration: (node) => add(node.source.value, node.start, node.exportKind === 'type'),
      ImportExpression: (node) => {
        const value = node.source.type === 'Literal' ? node.source.value : undefined;
        add(typeof value === 'string' ? value : '(computed)', node.start, false);
      },
    },
  };
}

function defaultExportCollector(lineOf: LineOf): Collector<number> {
  const found: number[] = [];
  return { found, visitor: { ExportDefaultDeclaration: (node) => void found.push(lineOf(node.start)) } };
}

/** Functions with their length. The callback of `describe` is a chapter of tests rather than a function. */
function functionCollector(lineOf: LineOf): Collector<FunctionFact> {
  const found: FunctionFact[] = [];
  const nameByStart = new Map<number, string>();
  const chapterStarts = new Set<number>();
  const add = (node: { readonly start: number; readonly end: number }, name: string | undefined): void => {
    if (chapterStarts.has(node.start)) return;
    const line = lineOf(node.start);
    found.push({
      name: name ?? nameByStart.get(node.start) ?? 'a function',
      line,
      lineCount: lineOf(node.end) - line + 1,
    });
  };
  return {
    found,
    visitor: {
      CallExpression: (node) => {
        if (/^describe\b/.test(wordsOf(node.callee)))
          for (const argument of node.arguments) chapterStarts.add(argument.start);
      },
      VariableDeclarator: (node) => {
        if (node.init !== null && node.id.type === 'Identifier') nameByStart.set(node.init.start, node.id.name);
      },
      MethodDefinition: (node) => void nameByStart.set(node.value.start, keyName(node.key) ?? 'a method'),
      FunctionDeclaration: (node) => add(node, node.id?.name),
      FunctionExpression: (node) => add(node, node.id?.name),
      ArrowFunctionExpression: (node) => add(node, undefined),
    },
  };
}

function memberCollector(lineOf: LineOf): Collector<NameFact> {
  const found: NameFact[] = [];
  return {
    found,
    visitor: {
      MemberExpression: (node) => {
        if (node.computed || node.property.type !== 'Identifier') return;
        const object = node.object.type === 'Identifier' ? node.object.name : '';
        found.push({ name: `${object}.${node.property.name}`, line: lineOf(node.property.start) });
      },
    },
  };
}

function declaredCollector(lineOf: LineOf): Collector<NameFact> {
  const found: NameFact[] = [];
  const add = (name: string | undefined, start: number): void => {
    if (name !== undefined) found.push({ name, line: lineOf(start) });
  };
  const addParameters = (params: readonly ParamPattern[]): void => {
    for (const param of params) add(parameterName(param), param.start);
  };
  return {
    found,
    visitor: {
      VariableDeclarator: (node) => add(patternName(node.id), node.start),
      FunctionDeclaration: (node) => addParameters(node.params),
      FunctionExpression: (node) => addParameters(node.params),
      ArrowFunctionExpression: (node) => addParameters(node.params),
      TSPropertySignature: (node) => add(keyName(node.key), node.start),
      PropertyDefinition: (node) => add(keyName(node.key), node.start),
      CallExpression: (node) => {
        const [schema] = node.arguments;
        if (wordsOf(node.callee) !== 'Type.Object' || schema?.type !== 'ObjectExpression') return;
        for (const property of schema.properties) {
          if (property.type === 'Property') add(keyName(property.key), property.start);
        }
      },
    },
  };
}

function isBarrel(program: Program): boolean {
  const isReExport = (statement: Program['body'][number]): boolean =>
    statement.type === 'ExportAllDeclaration' ||
    (statement.type === 'ExportNamedDeclaration' && statement.declaration === null);
  const rest = program.body.filter((statement) => statement.type !== 'ImportDeclaration');
  return rest.length > 0 && rest.every(isReExport);
}

/** `name` or `object.property` of a plain expression, '' of anything else. */
function wordsOf(node: Expression): string {
  if (node.type === 'Identifier') return node.name;
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return '';
  return `${wordsOf(node.object)}.${node.property.name}`;
}

function keyName(key: PropertyKey): string | undefined {
  if (key.type === 'Identifier' || key.type === 'PrivateIdentifier') return key.name;
  return key.type === 'Literal' && typeof key.value === 'string' ? key.value : undefined;
}

function patternName(pattern: BindingPattern): string | undefined {
  if (pattern.type === 'Identifier') return pattern.name;
  return pattern.type === 'AssignmentPattern' && pattern.left.type === 'Identifier' ? pattern.left.name : undefined;
}

function parameterName(param: ParamPattern): string | undefined {
  if (param.type === 'TSParameterProperty' || param.type === 'RestElement') return undefined;
  return patternName(param);
}

function lineFinder(text: string): LineOf {
  const lineEnds = [...text.matchAll(/\n/g)].map((match) => match.index);
  return (offset) => {
    const next = lineEnds.findIndex((end) => end >= offset);
    return (next === -1 ? lineEnds.length : next) + 1;
  };
}
