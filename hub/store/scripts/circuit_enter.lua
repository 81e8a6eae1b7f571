-- May an attempt go to this origin? Through an open circuit goes one probe at a time, of all
-- bridges together, once its time has come.
--
-- KEYS[1]  oc:{bridges}:circuits
-- ARGV     origin, ms that a probe may take
-- Answers  0: it may; -1: it may, as the probe; else ms to wait.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local circuit = redis.call('HGET', KEYS[1], ARGV[1])
if not circuit then
  return 0
end
local times, till, probe = string.match(circuit, '^(%d+) (%d+) (%d+)$')
local wait = math.max(tonumber(till), tonumber(probe)) - now
if wait > 0 then
  return wait
end
redis.call('HSET', KEYS[1], ARGV[1],
  string.format('%d %.0f %.0f', tonumber(times), tonumber(till), now + tonumber(ARGV[2])))
return -1
