// Puts the sources of the site into a folder: the pages of docs/, README.md and CHANGELOG.md, and those of the API's description. What links
// to a page leads to that page of the site; what links to another file of the repository leads to the repository.
//
//   node pages.mjs REPOSITORY FOLDER
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { writeReference } from './reference.mjs'

const [repository, folder] = process.argv.slice(2)
const home = 'https://github.com/tallystick/tallystick/blob/main'

// The pages from elsewhere, and what they are called in the site.
const others = { 'README.md': 'start.md', 'CHANGELOG.md': 'changelog.md', 'SECURITY.md': 'reporting.md' }
for (const language of ['go', 'java', 'python', 'typescript']) others[`openapi/clients/${language}/README.md`] = `sdks/${language}.md`
others['openapi/clients/CHANGELOG.md'] = 'sdks/changelog.md'
for (const language of ['java', 'node', 'python']) others[`testcontainers/${language}/README.md`] = `testcontainers/${language}.md`
others['testcontainers/README.md'] = 'testcontainers/index.md'

// The kinds of blocks whose first word is no language, and what they are written in.
const languages = { mapping: 'json', record: 'json', event: 'json', ndjson: 'json', console: 'sh', text: 'txt', caddy: 'txt', reject: 'txt', skipped: 'txt' }

cpSync(join(repository, 'docs'), folder, { recursive: true })
renameSync(join(folder, 'gateways/README.md'), join(folder, 'gateways/index.md'))
for (const page of allPages(folder)) {
  rewrite(join(folder, page), join('docs', page.replace(/index\.md$/, 'README.md')), page)
}
for (const [source, page] of Object.entries(others)) {
  mkdirSync(dirname(join(folder, page)), { recursive: true })
  cpSync(join(repository, source), join(folder, page))
  rewrite(join(folder, page), source, page)
}
mkdirSync(join(folder, 'reference'))
writeReference(join(repository, 'openapi/openapi.yaml'), join(folder, 'reference'))
writeFileSync(join(folder, 'index.md'), readFileSync(join(import.meta.dirname, 'home.md')))

function allPages(root, below = '') {
  return readdirSync(join(root, below)).flatMap((name) => {
    const path = join(below, name)
    if (name.startsWith('.')) return []
    return statSync(join(root, path)).isDirectory() ? allPages(root, path) : name.endsWith('.md') ? [path] : []
  })
}

// rewrite makes the links of one file, which is source in the repository and page in the site, lead on.
function rewrite(file, source, page) {
  const text = readFileSync(file, 'utf8').replace(/\]\(([^()#\s]+)(#[^()\s]*)?\)/g, (whole, path, anchor = '') => {
    if (/^[a-z]+:/.test(path)) return whole
    const target = join(dirname(source), path)
    if (!existsSync(join(repository, target))) throw new Error(`${source} links to ${path}, which is not there`)
    const inSite = sitePage(target)
    if (!inSite) return `](${home}/${target}${anchor})`
    const link = relative(dirname(page), inSite)
    return `](${link.startsWith('.') ? link : './' + link}${anchor})`
  })
  writeFileSync(file, text.replace(/^( *```)(\w+)(.*)$/gm, (whole, fence, kind) => (languages[kind] ? fence + languages[kind] : whole)))
}

function sitePage(target) {
  if (others[target]) return others[target]
  if (others[join(target, 'README.md')] && target !== '.') return others[join(target, 'README.md')]
  if (target === 'docs/gateways') return 'gateways/index.md'
  if (!target.startsWith('docs/') || !/\.(md|png)$/.test(target)) return undefined
  return target.slice('docs/'.length).replace(/README\.md$/, 'index.md')
}
