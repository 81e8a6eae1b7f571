-- Append events of a partition to a partner's feed, each once.
--
-- KEYS[1]  oc:{f:<partner>}:feed   KEYS[2]  oc:{f:<partner>}:seen   KEYS[3]  oc:{f:<partner>}:acked
-- ARGV     partition, ms to keep for who has never acknowledged, for who has, then per event:
--          its id in the partition's log, order, seq, what is told of it ("": it stands in the
--          order's events)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local seen = redis.call('HGET', KEYS[2], ARGV[1]) or '0-0'

local function after(one, other)
  local a, b = string.match(one, '^(%d+)-(%d+)$')
  local c, d = string.match(other, '^(%d+)-(%d+)$')
  a, b, c, d = tonumber(a), tonumber(b), tonumber(c), tonumber(d)
  return a > c or (a == c and b > d)
end

for i = 4, #ARGV, 4 do
  if after(ARGV[i], seen) then
    seen = ARGV[i]
    if ARGV[i + 3] == '' then
      redis.call('XADD', KEYS[1], '*', 'o', ARGV[i + 1], 's', ARGV[i + 2])
    else
      redis.call('XADD', KEYS[1], '*', 'o', ARGV[i + 1], 's', ARGV[i + 2], 'b', ARGV[i + 3])
    end
  end
end
redis.call('HSET', KEYS[2], ARGV[1], seen)

local keep = tonumber(redis.call('EXISTS', KEYS[3]) == 1 and ARGV[3] or ARGV[2])
redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f', now - keep))
redis.call('PEXPIRE', KEYS[1], keep)
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
