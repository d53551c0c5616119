// The site's navigation, by task, and its settings. Links that lead nowhere fail the build.
import { defineConfig } from 'vitepress'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const repository = 'https://github.com/tallystick/tallystick'

// pages returns the pages of a folder by their titles, README first.
function pages(folder) {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .sort((a, b) => (a === 'index.md' ? -1 : b === 'index.md' ? 1 : a.localeCompare(b)))
    .map((name) => ({ text: title(`${folder}/${name}`), link: `/${folder}/${name.replace(/\.md$/, '')}` }))
}

function title(path) {
  const heading = /^# (.*)$/m.exec(readFileSync(join(root, path), 'utf8'))
  return heading[1].replace(/ \{#.*\}/, '').replaceAll('`', '')
}

const listed = (...names) => names.map((name) => ({ text: title(`${name}.md`), link: `/${name}` }))

const sidebar = [
  { text: 'Start', items: [...listed('start', 'dev-image'), ...pages('tutorials')] },
  { text: 'Count', items: listed('meter', 'quota', 'writing-views', 'guest-language', 'abi', 'gas') },
  { text: 'Send', collapsed: true, items: [...listed('sources'), ...pages('gateways')] },
  { text: 'SDKs', collapsed: true, items: pages('sdks') },
  { text: 'Test', collapsed: true, items: pages('testcontainers') },
  { text: 'Read and report', items: listed('dashboard', 'embed', 'alerts', 'webhooks', 'sql', 'evidence') },
  {
    text: 'Operate',
    items: [...listed('operations', 'security', 'sizing', 'recovery'), { text: 'Report a vulnerability', link: '/reporting' }],
  },
  { text: 'Look up', items: [...listed('api', 'cli', 'cli-reference'), { text: 'Operations and schemas', link: '/reference/' }] },
  { text: 'Operations', collapsed: true, items: pages('reference') },
  { text: 'Why it is so', collapsed: true, items: listed('rationale', 'benchmarks', 'compared-with-kafka', 'changelog') },
]

// Every page is in the navigation: a reader finds none that is not.
const reached = new Set(sidebar.flatMap((group) => group.items.map((item) => `${item.link.slice(1).replace(/\/$/, '/index')}.md`)))
for (const page of readdirSync(root, { recursive: true })) {
  if (page.endsWith('.md') && !page.startsWith('.') && page !== 'index.md' && !reached.has(page)) {
    throw new Error(`${page} is in no group of the sidebar: add it in tools/site/config.mjs`)
  }
}

export default defineConfig({
  title: 'Tallystick',
  description: 'Self-hosted usage metering without the pipeline',
  base: process.env.SITE_BASE,
  cleanUrls: false,
  lastUpdated: false,
  markdown: {
    config: (md) => md.set({ html: false }), // the pages are Markdown for GitHub, and have no HTML
    // Headings are linked by the names that GitHub gives them.
    anchor: { slugify: (heading) => heading.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-') },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Tutorials', link: '/tutorials/llm-metering' },
      { text: 'API', link: '/reference/' },
      { text: 'Source', link: repository },
    ],
    sidebar,
  },
})
