-- Take what is due in a partition: one delivery of each due lane, for the length of a lease.
--
-- KEYS[1]  oc:{p}:queues
-- ARGV     lease (ms), deliveries wanted, room in a queue, room at an origin, nap (ms),
--          number of queues to wake, those queues, then pairs of name and room for queues and
--          origins whose room differs
-- Answers  ms until the next lane is due (-1: never), the queues that held more than there was
--          room for, and the claims: queue, lane, fence, seq, the older seqs that it stands for,
--          attempt, first attempt and event (ms), off, latest, epoch, partner, url, payload, trace (nil: none).
-- The fence is the due time that the claim gives the lane. It only ever grows while the lane
-- exists, because a lane is claimed once that time has passed.
local lease, want, nap = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[5])
local queue_room, origin_room = tonumber(ARGV[3]), tonumber(ARGV[4])
local wakes = tonumber(ARGV[6])
for i = 7, 6 + wakes do
  redis.call('ZADD', queues, 'XX', 'LT', now, ARGV[i])
end
local rooms = {}
for i = 7 + wakes, #ARGV, 2 do
  rooms[ARGV[i]] = tonumber(ARGV[i + 1])
end

local claims, more = {}, {}

-- The claim of a lane, nil where nothing waits in it. The newest stands for all before it where
-- only the latest is wanted.
local function claim(queue, lane)
  local target, order = string.match(lane, '^(.-)|(.*)$')
  local book = book_of(order)
  local fields = redis.call('HMGET', book,
    'w:' .. target, 'm:' .. target, 'off', 'epoch', 'partner', 'url')
  local seqs = numbers(fields[1])
  if #seqs == 0 then
    return nil
  end
  local seq, stands_for = seqs[1], ''
  if fields[2] and #seqs > 1 then
    seq = table.remove(seqs)
    stands_for = table.concat(seqs, ' ')
  end
  local it = load(book, target, seq)
  if stands_for ~= '' and it.first == 0 then  -- the day of what it stands for goes on
    it.first = load(book, target, seqs[#seqs]).first
  end
  it.attempts = it.attempts + 1
  if it.first == 0 then
    it.first = now
  end
  save(book, target, seq, it)
  local told = redis.call('HMGET', book, 'e:' .. seq, 't:' .. seq)
  return {queue, lane, now + lease, seq, stands_for, it.attempts - it.before, it.first, it.created,
    fields[3] and 1 or 0, fields[2] and 1 or 0, fields[4], fields[5], fields[6],
    told[1], told[2]}
end

for _, queue in ipairs(redis.call('ZRANGEBYSCORE', queues, '-inf', now, 'LIMIT', 0, 256)) do
  if want <= 0 then
    break
  end
  local due = head .. 'due:' .. queue
  local origin = string.match(queue, '^(.-)|') or ''
  -- A room by name has the origin's in it already, where that counts.
  local own, common = rooms[queue] or queue_room, rooms[origin] or origin_room
  local room = math.min(want, own)
  if origin ~= '' and not rooms[queue] then
    room = math.min(room, common)
  end
  local taken = 0
  if room > 0 then
    for _, lane in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, room)) do
      local made = claim(queue, lane)
      if made then
        redis.call('ZADD', due, now + lease, lane)
        claims[#claims + 1] = made
        taken = taken + 1
      else
        redis.call('ZREM', due, lane)
      end
    end
  end
  want = want - taken
  rooms[queue] = own - taken
  if origin ~= '' then
    rooms[origin] = common - taken
  end
  local next = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
  if #next == 0 then
    redis.call('ZREM', queues, queue)
  elseif tonumber(next[2]) > now then
    redis.call('ZADD', queues, next[2], queue)
  elseif want > 0 then
    -- Full: it steps aside so that the queues behind it are seen.
    redis.call('ZADD', queues, now + nap, queue)
    more[#more + 1] = queue
  end
end

local next = redis.call('ZRANGE', queues, 0, 0, 'WITHSCORES')
local wait = -1
if #next > 0 then
  wait = math.max(0, tonumber(next[2]) - now)
end
return {wait, more, claims}
