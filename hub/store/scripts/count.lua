-- Count a partition's orders and open exceptions. What is of orders that are gone, which nobody
-- has ended in all the time that they are kept, is struck off.
--
-- KEYS  1 open exceptions (zset)  2.. n live orders of a status each (zsets), then tallies (hashes)
-- ARGV  1 n  2 `oc:{p}:order:`  3 what is older (Unix ms) may be of an order that is gone
-- Answers  live orders by status; pairs of status and number, of the tallies; pairs of code and
--          number, of the exceptions; when the oldest of these was opened (Unix ms, -1: none).
local n, order = tonumber(ARGV[1]), ARGV[2]

local function tidy(key)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', ARGV[3], 'LIMIT', 0, 32)) do
    if redis.call('EXISTS', order .. string.match(member, '^[^|]+')) == 0 then
      redis.call('ZREM', key, member)
    end
  end
end

local function flat(counts)
  local pairs_of = {}
  for name, number in pairs(counts) do
    pairs_of[#pairs_of + 1] = name
    pairs_of[#pairs_of + 1] = number
  end
  return pairs_of
end

local live = {}
for i = 2, n + 1 do
  tidy(KEYS[i])
  live[i - 1] = redis.call('ZCARD', KEYS[i])
end

local entered = {}
for i = n + 2, #KEYS do
  local tally = redis.call('HGETALL', KEYS[i])
  for j = 1, #tally, 2 do
    entered[tally[j]] = (entered[tally[j]] or 0) + tonumber(tally[j + 1])
  end
end

tidy(KEYS[1])
local codes = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local code = string.match(member, '[^|]+$')
  codes[code] = (codes[code] or 0) + 1
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {live, flat(entered), flat(codes), oldest[2] and tonumber(oldest[2]) or -1}
