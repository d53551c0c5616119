// The default theme without the fonts that it would load.
export { default } from 'vitepress/theme-without-fonts'
