-- Read an order, and the events after a place in its stream, as of one moment.
--
-- KEYS  1 order (hash)  2 events (stream)
-- ARGV  1 epoch and 2 seq of the place ("" and -1: no events wanted)
--       3 and 4 the keys of position and trail (strings) up to the leg, which the order tells; they
--       are in the slot of the others
-- Answers {rev, state, position, trail, events}, or nothing where there is no such order.
-- `events` is empty for another epoch.

local order = redis.call('HMGET', KEYS[1], 'rev', 'state', 'epoch', 'seq', 'leg')
if not order[1] then
  return nil
end
local events = {}
local after = tonumber(ARGV[2])
if after >= 0 and ARGV[1] == order[3] and after < tonumber(order[4]) then
  local first = string.format('%d-0', after + 1)
  for _, entry in ipairs(redis.call('XRANGE', KEYS[2], first, '+')) do
    events[#events + 1] = entry[2][2]
  end
end
return {tonumber(order[1]), order[2], redis.call('GET', ARGV[3] .. order[5]) or '',
  redis.call('GET', ARGV[4] .. order[5]) or '', events}
