import { describe, expect, it } from 'vitest';
import { checkArchitecture } from './architecture.ts';
import { brokenArchitecture, brokenTree, brokenTreeFindings } from './architecture-fixture.ts';
import { layers } from './architecture-table.ts';
import { treeOf } from './tree.ts';

const noLayerBuilt = { layers: layers.map((layer) => ({ ...layer, isBuilt: false })), debts: [], modulesMin: 1 };

describe('the architecture check', () => {
  const broken = checkArchitecture(brokenTree, brokenArchitecture);

  it.each(brokenTreeFindings)('finds the breach in %s: %s', (path, words) => {
    const sentences = broken.findings.filter((finding) => finding.path === path).map((finding) => finding.sentence);
    expect(sentences.filter((sentence) => words.test(sentence))).not.toEqual([]);
  });

  it('finds no more than one circle where there is one', () => {
    expect(broken.findings.filter((finding) => finding.sentence.includes('circle'))).toHaveLength(1);
  });

  it('says nothing about an import the table allows', () => {
    const tree = treeOf({
      'shared/src/index.ts': "export * from './limits.ts';",
      'shared/src/limits.ts': 'export const rowsMax = 3;',
      'server/src/live/hub.ts':
        "import { rowsMax } from '@faultline/shared';\nimport type { Session } from '../sessions/session.ts';\nexport type Hub = Session;\nexport const rows = rowsMax;",
      'server/src/sessions/session.ts': 'export type Session = string;',
    });
    const { findings } = checkArchitecture(tree, noLayerBuilt);
    expect(findings.filter((finding) => !finding.sentence.includes('isBuilt'))).toEqual([]);
  });

  it('lets a debt through as long as the breach is there', () => {
    const tree = treeOf({ 'shared/src/index.ts': "import { sep } from 'node:path';\nexport const separator = sep;" });
    const debts = [{ path: 'shared/src/index.ts', imports: 'node:path', reason: 'a test', removeWhen: 'never' }];
    const { findings } = checkArchitecture(tree, { ...noLayerBuilt, debts });
    expect(findings.filter((finding) => !finding.sentence.includes('isBuilt'))).toEqual([]);
  });

  it('sees nothing in an empty house, and says so', () => {
    const { seenCount, findings } = checkArchitecture(new Map(), noLayerBuilt);
    expect(seenCount).toBe(0);
    expect(findings.map((finding) => finding.sentence)).toEqual([expect.stringContaining('saw 0 modules')]);
  });
});
