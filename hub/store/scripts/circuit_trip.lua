-- An origin is not reached: open its circuit, or keep it open longer than the last time.
--
-- KEYS[1]  oc:{bridges}:circuits, a hash of origin -> times tripped in a row, when it may be
--          probed, when the probe that is out has had its time (Unix ms)
-- ARGV     origin, ms of the first opening, of the longest
-- Answers  ms until it may be probed. One that is open already stays as it is.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local times, till = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '0 0 0', '^(%d+) (%d+)')
times, till = tonumber(times), tonumber(till)
if till <= now then
  till = now + math.min(tonumber(ARGV[2]) * 2 ^ math.min(times, 20), tonumber(ARGV[3]))
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %.0f 0', times + 1, till))
end
return till - now
