// Writes the reference of the API as pages: one for each tag, with its operations, and one with the schemas. The site's search then finds
// an operation or a member as it finds any other text.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const methods = ['get', 'put', 'post', 'patch', 'delete']

export function writeReference(description, folder) {
  const api = parse(readFileSync(description, 'utf8'))
  const operations = Object.entries(api.paths).flatMap(([path, item]) =>
    methods.filter((method) => item[method]).map((method) => ({ path, method: method.toUpperCase(), ...item[method] })),
  )
  for (const tag of api.tags) {
    const own = operations.filter((operation) => operation.tags.includes(tag.name))
    const page = [`# ${tag.name[0].toUpperCase()}${tag.name.slice(1)} {#page}`, tag.description, ...own.map((o) => operation(api, o))]
    writeFileSync(join(folder, `${tag.name}.md`), page.join('\n\n') + '\n')
  }
  const rows = operations.map((o) => `| \`${o.method} ${o.path}\` | [${o.summary}](./${o.tags[0]}.md#${o.operationId}) |`)
  writeFileSync(
    join(folder, 'index.md'),
    `# Operations\n\nEvery call of the HTTP API, generated from its description, which a server has at \`/openapi.yaml\`. What they promise, ` +
      `limits and problems are in [The API](../api.md).\n\n| call | |\n|---|---|\n${rows.join('\n')}\n`,
  )
  const schemas = Object.entries(api.components.schemas).map(([name, s]) => `## ${name} {#${anchor(name)}}\n\n${schema(s)}`)
  writeFileSync(join(folder, 'schemas.md'), `# Schemas\n\nMembers may be added to answers.\n\n${schemas.join('\n\n')}\n`)
}

function operation(api, o) {
  const parts = [`## ${o.summary} {#${o.operationId}}`, `\`${o.method} ${o.path}\``, text(o.description)]
  const parameters = (o.parameters ?? []).map((p) => (p.$ref ? resolve(api, p.$ref) : p))
  if (parameters.length > 0) {
    const rows = parameters.map((p) => `| \`${p.name}\` | ${p.in}${p.required ? ', required' : ''} | ${type(p.schema)} | ${cell(p.description)} |`)
    parts.push(['| parameter | in | type | |', '|---|---|---|---|', ...rows].join('\n'))
  }
  for (const [kind, content] of Object.entries(o.requestBody?.content ?? {})) {
    parts.push(`**Body**, \`${kind}\`: ${type(content.schema)}`, ...examples(content))
  }
  for (const [status, response] of Object.entries(o.responses)) {
    const answer = response.$ref ? resolve(api, response.$ref) : response
    const kinds = Object.entries(answer.content ?? {})
    const types = kinds.map(([kind, content]) => ` \`${kind}\`: ${type(content.schema)}`).join(';')
    parts.push(`**${status === 'default' ? 'Otherwise' : status}**${types}. ${text(answer.description)}`)
    if (status !== 'default' && kinds.length > 0) parts.push(...examples(kinds[0][1]))
  }
  return parts.filter(Boolean).join('\n\n')
}

function examples(content) {
  const shown = content.example ?? Object.values(content.examples ?? {})[0]?.value
  if (shown === undefined) return []
  return typeof shown === 'string' ? ['```txt\n' + shown.trimEnd() + '\n```'] : ['```json\n' + JSON.stringify(shown, null, 2) + '\n```']
}

function schema(s) {
  const parts = [text(s.description)]
  const members = Object.entries(s.properties ?? {})
  if (members.length > 0) {
    const rows = members.map(([name, m]) => `| \`${name}\` | ${type(m)}${s.required?.includes(name) ? '' : ', may be absent'} | ${cell(m.description)} |`)
    parts.push(['| member | type | |', '|---|---|---|', ...rows].join('\n'))
  } else {
    parts.push(type(s))
  }
  return parts.filter(Boolean).join('\n\n')
}

// type names the type of a schema in a few words, with a link where it is one of the schemas.
function type(s) {
  if (!s || Object.keys(s).length === 0) return 'anything'
  if (s.$ref) {
    const name = s.$ref.split('/').pop()
    return `[${name}](./schemas.md#${anchor(name)})`
  }
  for (const several of [s.oneOf, s.anyOf, s.allOf]) if (several) return several.map(type).join(' or ')
  const kinds = [s.type ?? 'anything'].flat().map((kind) => {
    if (kind === 'array') return `list of ${type(s.items)}`
    if (kind === 'object' && s.additionalProperties && s.additionalProperties !== true) return `object of ${type(s.additionalProperties)}`
    return kind
  })
  const notes = []
  if (s.format) notes.push(s.format)
  if (s.enum) notes.push(s.enum.map((value) => `\`${value}\``).join(', '))
  if (s.minimum !== undefined && s.maximum !== undefined) notes.push(`${s.minimum} to ${s.maximum}`)
  else if (s.minimum !== undefined) notes.push(`at least ${s.minimum}`)
  else if (s.maximum !== undefined) notes.push(`at most ${s.maximum}`)
  if (s.maxLength) notes.push(`at most ${s.maxLength} characters`)
  if (s.default !== undefined) notes.push(`default \`${JSON.stringify(s.default)}\``)
  return kinds.join(' or ') + (notes.length > 0 ? ` (${notes.join('; ')})` : '')
}

function resolve(api, ref) {
  return ref.slice(2).split('/').reduce((value, key) => value[key], api)
}

// anchor is what a heading of a schema is linked by.
function anchor(name) {
  return name.toLowerCase()
}

// text is a description as Markdown: what stands between braces or angles is no markup.
function text(description = '') {
  return description.replaceAll('|', '\\|').replaceAll('{{', '{ {')
}

function cell(description) {
  return text(description).replaceAll('\n', ' ')
}
