// Checks a built site: every link within it leads to a page, and to an anchor of it; nothing is loaded from elsewhere; the search has an
// index; pages are light and dark.
//
//   node check.mjs FOLDER BASE
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const [folder, base] = process.argv.slice(2)
const files = readdirSync(folder, { recursive: true })
const pages = new Map(files.filter((name) => name.endsWith('.html')).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
const ids = new Map([...pages].map(([name, html]) => [name, new Set([...html.matchAll(/\sid="([^"]*)"/g)].map((match) => match[1]))]))
const wrong = []
let links = 0

for (const [name, html] of pages) {
  for (const [, tag, url] of html.matchAll(/<(a|link|script|img|iframe)\b[^>]*?\s(?:href|src)="([^"]*)"/g)) {
    if (/^[a-z]+:|^\/\//.test(url)) {
      if (tag !== 'a') wrong.push(`${name} loads ${url}`)
      continue
    }
    links++
    const [path, anchor] = decodeURI(url.replaceAll('&amp;', '&')).split('#')
    let target = path === '' ? name : path.startsWith(base) ? path.slice(base.length) : relative('.', join(dirname(name), path))
    if (target === '' || target.endsWith('/')) target += 'index.html'
    if (!existsSync(join(folder, target))) wrong.push(`${name} links to ${url}, which is not there`)
    else if (anchor && ids.has(target) && !ids.get(target).has(anchor)) wrong.push(`${name} links to ${url}, which has no such heading`)
  }
}
for (const name of files.filter((file) => /\.(css|js)$/.test(file))) {
  const loaded = /(?:@import|url\(|import\()\s*["']?(https?:)?\/\/[^)"']*/.exec(readFileSync(join(folder, name), 'utf8'))
  if (loaded && !loaded[0].includes('api.iconify.design')) // for icons that the settings may name, and do not
    wrong.push(`${name} loads ${loaded[0]}`)
}
if (!files.some((name) => name.includes('localSearchIndex'))) wrong.push('there is no index to search')
if (!pages.get('index.html')?.includes('prefers-color-scheme: dark')) wrong.push('pages do not know of dark')
if (pages.size < 30 || links < 1000) wrong.push(`there are only ${pages.size} pages with ${links} links`)

for (const line of wrong) console.error(line)
if (wrong.length > 0) process.exit(1)
console.log(`${pages.size} pages, ${links} links, none of them dead`)
