import nx from '@nx/eslint-plugin'
import jsoncParser from 'jsonc-eslint-parser'
import tseslint from 'typescript-eslint'
import { floors, testFloors } from './tools/floors.js'

const pkg = (name) => `pkg:${name}`

/** What each package may import, and its tests besides: the table of docs/architecture.md, enforced. */
const boundaries = (more) => [
  'error',
  {
    depConstraints: Object.entries(floors).map(([name, deps]) => ({
      sourceTag: pkg(name),
      onlyDependOnLibsWithTags: [pkg('testkit'), ...deps.map(pkg), ...(more[name] ?? []).map(pkg)],
    })),
    banTransitiveDependencies: true,
    enforceBuildableLibDependency: false,
    allow: [],
  },
]

const noNode = {
  patterns: [
    { group: ['node:*', 'fs', 'path', 'os'], message: 'This package is pure: it also runs in a browser.' },
  ],
}

const everywhere = tseslint.config(
  { ignores: ['**/dist/**', '**/generated/**', '**/golden/**', 'coverage/**', '.nx/**', 'bench/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': boundaries({}),
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNever: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/no-non-null-assertion': 'error',
      'no-console': 'error',
    },
  },
  {
    // Tests index what they have just asserted, and name the row they are about in template strings.
    files: ['**/*.test.ts', '**/test/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': boundaries(testFloors),
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
    },
  },
  {
    files: ['**/package.json'],
    languageOptions: { parser: jsoncParser },
    plugins: { '@nx': nx },
    rules: {
      '@nx/dependency-checks': [
        'error',
        {
          ignoredFiles: [
            '{projectRoot}/**/*.test.ts',
            '{projectRoot}/test/**',
            '{projectRoot}/eslint.config.*',
          ],
          buildTargets: ['build'],
          // The graph knows no package from outside the workspace; knip finds unused and unlisted ones.
          checkObsoleteDependencies: false,
        },
      ],
    },
  },
)

/** For packages that run in Node alone: the command line, the examples, the test support. */
export const node = [...everywhere, { files: ['**/*.ts'], rules: { 'no-console': 'off' } }]

/** For every other package: it also runs in a browser, except the native door and the tests. */
export default [
  ...everywhere,
  {
    files: ['**/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/src/native/**'],
    rules: {
      'no-restricted-imports': ['error', noNode],
      'no-restricted-globals': [
        'error',
        'Buffer',
        'process',
        'global',
        'require',
        'setImmediate',
        '__dirname',
      ],
    },
  },
]
