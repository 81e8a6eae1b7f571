-- Begin something that must happen once, by its key.
--
-- KEYS  1 the key's record (hash: fingerprint, op, until, answer)
-- ARGV  1 fingerprint of the request  2 an operation id, taken if the key is new
--       3 now, Unix ms, and 4 lease, ms (0: whoever asks begins at once, however the hubs'
--       clocks differ)  5 seconds to keep
-- Answers {"begin", op}: do it; a run that died is resumed under its own op.
--         {"done", answer}, {"busy", ms left}, or {"differs", op}: another request's key.

local record = redis.call('HMGET', KEYS[1], 'fingerprint', 'op', 'until', 'answer')
local now, lease = tonumber(ARGV[3]), tonumber(ARGV[4])
if not record[1] then
  redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'op', ARGV[2], 'until', now + lease)
  redis.call('EXPIRE', KEYS[1], tonumber(ARGV[5]))
  return {'begin', ARGV[2]}
end
if record[1] ~= ARGV[1] then
  return {'differs', record[2]}
end
if record[4] then
  return {'done', record[4]}
end
local left = tonumber(record[3]) - now
if lease > 0 and left > 0 then
  return {'busy', left}
end
redis.call('HSET', KEYS[1], 'until', now + lease)
return {'begin', record[2]}
