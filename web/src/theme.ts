import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

/** The colour of the door: what one may do. Red is kept for what was refused. */
const postern: MantineColorsTuple = [
  '#eefaf7',
  '#d6f3ec',
  '#a9e6d9',
  '#75d6c4',
  '#46c2ae',
  '#23a794',
  '#138a7b',
  '#0f766e',
  '#0f5f59',
  '#0c4a46',
];

/** Neutrals with a breath of the same green, so that greys and accent belong together. */
const dark: MantineColorsTuple = [
  '#dfe5e4',
  '#b4bfbd',
  '#93a09e',
  '#6b7876',
  '#465250',
  '#343e3c',
  '#262e2d',
  '#1b2120',
  '#141918',
  '#0e1211',
];

export const theme = createTheme({
  primaryColor: 'postern',
  primaryShade: 7,
  colors: { postern, dark },
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace",
  headings: { fontWeight: '620' },
});

/** Names for the few colours that the pages' own styles use. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--ground': '#f6f7f7',
    '--card': '#ffffff',
    '--line': '#e1e6e5',
    '--quiet': '#586664',
    '--hover': '#f2f6f5',
    '--accent': '#0f766e',
    '--allow': '#0f766e',
    '--deny': '#b42318',
    '--deny-ground': '#fdeceb',
    '--warn': '#95560a',
    '--mantine-color-dimmed': '#586664',
    '--mantine-color-placeholder': '#74807e',
  },
  dark: {
    '--ground': '#141918',
    '--card': '#1b2120',
    '--line': '#2e3736',
    '--quiet': '#9aa7a5',
    '--hover': '#222a28',
    '--accent': '#46c2ae',
    '--allow': '#46c2ae',
    '--mantine-color-anchor': '#46c2ae',
    '--deny': '#ff9d92',
    '--deny-ground': '#42201d',
    '--warn': '#f0b45a',
    '--mantine-color-postern-light': 'rgb(70 194 174 / 16%)',
    '--mantine-color-postern-light-hover': 'rgb(70 194 174 / 22%)',
    '--mantine-color-postern-light-color': '#75d6c4',
    '--mantine-color-placeholder': '#8a9795',
    '--mantine-color-body': '#141918',
    '--mantine-color-dimmed': '#9aa7a5',
  },
});
