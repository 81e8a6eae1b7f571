-- Append to a stream that its reader empties, unless it is full.
--
-- KEYS  1 the stream  2 how many found no room
-- ARGV  entries that there is room for, how many this one stands for, fields and values
-- Answers 1, or 0 where there was no room.
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then
  redis.call('INCRBY', KEYS[2], ARGV[2])
  return 0
end
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3))
return 1
