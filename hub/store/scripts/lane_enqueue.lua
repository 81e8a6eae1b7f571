-- Enqueue what events bring, and move the bridge's cursor over them.
--
-- KEYS[1]  oc:{p}:queues   KEYS[2]  oc:{p}:cursors
-- ARGV     cursor expected ("" for none, "-": no cursor is looked at or moved), new cursor,
--          ms to keep what was delivered, ms to keep what is set aside, then per event:
--          order, epoch, seq, partner, url, payload, trace or "", number of targets, and per target:
--          target, queue, "held" or "", "latest" or ""
-- Answers 1, or 0 where another bridge has moved the cursor: then nothing was done.
if ARGV[1] ~= '-' and (redis.call('HGET', KEYS[2], 'bridge') or '') ~= ARGV[1] then
  return 0
end
local keep_delivered, keep_aside = tonumber(ARGV[3]), tonumber(ARGV[4])

local function open_book(order, epoch, partner, url)
  local book = book_of(order)
  if redis.call('HGET', book, 'epoch') ~= epoch then
    redis.call('DEL', book)  -- of an order that the store lost
    redis.call('HSET', book, 'epoch', epoch, 'partner', partner, 'url', url)
    local shelf = head .. 'books:' .. partner
    redis.call('ZADD', shelf, now, order)
    redis.call('PEXPIRE', shelf, 2 * math.max(keep_aside, keep_delivered))
    -- Each newcomer looks whether two others, by chance, are still there: so the list cannot
    -- become much longer than what it lists.
    for _, each in ipairs(redis.call('ZRANDMEMBER', shelf, 2)) do
      if redis.call('EXISTS', book_of(each)) == 0 then
        redis.call('ZREM', shelf, each)
      end
    end
  end
  return book
end

local function add(book, order, seq, target, queue, held, latest)
  if redis.call('HEXISTS', book, 'd:' .. target .. ':' .. seq) == 1 then
    return 0
  end
  if held == '' and string.sub(target, 1, 3) ~= 'ep_' and redis.call('HEXISTS', book, 'off') == 1 then
    held = 'held'
  end
  local it = {state = 'pending', created = now, first = 0, settled = 0, attempts = 0, before = 0}
  if held ~= '' then
    set_aside(book, target, order, seq, it, 'held', keep_aside)
    return 0
  end
  save(book, target, seq, it)
  local seqs = waiting(book, target)
  seqs[#seqs + 1] = seq
  set_waiting(book, target, seqs)
  if queue ~= target then
    redis.call('HSET', book, 'q:' .. target, queue)
  end
  set_latest(book, target, latest ~= '' and '1' or (#seqs > 1 and '0' or ''))
  schedule(queue, target .. '|' .. order)
  return 1
end

local at = 5
while ARGV[at] do
  local order, epoch, seq, partner, url, payload, trace = unpack(ARGV, at, at + 6)
  local targets = tonumber(ARGV[at + 7])
  local book, opened = open_book(order, epoch, partner, url), 0
  redis.call('HSET', book, 'e:' .. seq, payload)
  if trace ~= '' then
    redis.call('HSET', book, 't:' .. seq, trace)
  end
  at = at + 8
  for _ = 1, targets do
    local target, queue, held, latest = unpack(ARGV, at, at + 3)
    opened = opened + add(book, order, tonumber(seq), target, queue, held, latest)
    at = at + 4
  end
  count_open(book, opened, keep_delivered, keep_aside)
end
if ARGV[1] ~= '-' then
  redis.call('HSET', KEYS[2], 'bridge', ARGV[2])
end
return 1
