-- May an attempt go to this origin? Through an open circuit goes one probe at a time, of all
-- bridges together, once its time has come.
--
-- KEYS[1]  oc:{bridges}:circuits
-- ARGV     origin, ms that a probe may take, ms to wait while one is out
-- Answers  0: it may; -1: it may, as the probe; else ms to wait.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local circuit = redis.call('HGET', KEYS[1], ARGV[1])
if not circuit then
  return 0
end
local times, till, probe = string.match(circuit, '^(%d+) (%d+) (%d+)$')
if tonumber(till) > now then
  return tonumber(till) - now
elseif tonumber(probe) > now then
  return math.min(tonumber(probe) - now, tonumber(ARGV[3]))
end
redis.call('HSET', KEYS[1], ARGV[1],
  string.format('%d %.0f %.0f', tonumber(times), tonumber(till), now + tonumber(ARGV[2])))
return -1
