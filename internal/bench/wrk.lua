-- The load of append-ids/one-log for wrk: the same events, each with an id of its own. Prints one line for the report.
local models = { "gpt-4", "gpt-4-mini", "claude-3-opus", "llama-3-70b", "mistral-large" }
local teams = { "search", "support", "growth", "platform", "research", "billing", "mobile", "data" }
local endpoints = { "/v1/generate", "/v1/embeddings", "/v1/chat/completions" }
local headers = { ["Content-Type"] = "application/json" }
local run, path, count

function init(args)
  run, path, count = args[1], args[2], 0
  headers["Authorization"] = "Bearer " .. args[3]
end

function request()
  count = count + 1
  return wrk.format("POST", path, headers, string.format(
    '{"id":"%s-%09d","type":"api.call","time":"%s","endpoint":"%s","model":"%s","team":"%s","tokens_in":%d,"tokens_out":%d,"stream":true}',
    run, count, os.date("!%Y-%m-%dT%H:%M:%SZ"), endpoints[math.random(#endpoints)], models[math.random(#models)],
    teams[math.random(#teams)], math.random(4096), math.random(2048)))
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write("counted ", summary.requests, " ", summary.duration, " ", failed)
  for part = 1, 100 do
    io.write(" ", math.floor(latency:percentile(math.min(part, 99.99))))
  end
  io.write("\n")
end
