-- Append a signed head, if it follows the last one.
--
-- KEYS  1 oc:{audit}:heads (list)  2 oc:{audit}:log (hash)  3 oc:{audit}:keys (list)
--       4 oc:{audit}:rotations (list)  5 the tile of leaves in which it ends
-- ARGV  1 its number  2 the head (JSON)  3 the log's id  4 number of that tile, which is kept, or
--       '' where it ends with the tile before  5 the key (JSON) where it is the first head that it signs, or ''
--       6 '1' where the head names a next key
-- Answers 1, or 0 where somebody else was first.

if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) - 1 or
    redis.call('HGET', KEYS[2], 'id') ~= ARGV[3] then
  return 0
end
redis.call('RPUSH', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], 'kept', ARGV[4])
redis.call('PERSIST', KEYS[5])
if ARGV[5] ~= '' then
  redis.call('LPUSH', KEYS[3], ARGV[5])
end
if ARGV[6] == '1' then
  redis.call('RPUSH', KEYS[4], ARGV[2])
end
return 1
