import { describe, expect, test, vi } from "vitest";
import { HubClock } from "../common/clock.ts";
import { claimsOf, tokenOf } from "../common/credentials.ts";
import { formatsOf } from "../common/formats.ts";
import { type Languages, localeOf, pick } from "../common/language.ts";
import { keptIn } from "../common/storage.ts";
import { LANGUAGES as DESK } from "../desk/texts.ts";
import { LANGUAGES as RIDE } from "../ride/texts.ts";
import { LANGUAGES as TRACK } from "../track/texts.ts";

describe("languages", () => {
  test.each([
    [["zh-TW", "en"], "zh-CN"],
    [["fr", "EN-us"], "en"],
    [["fr"], "en"],
    [[], "en"],
  ])("of %o it is %s", (wanted, tag) => {
    expect(pick(TRACK, wanted).tag).toBe(tag);
  });

  test("numbers are written as at home, where home speaks that language", () => {
    const [english, chinese] = TRACK;
    expect(localeOf(english, ["fr", "en-GB"])).toBe("en-GB");
    expect(localeOf(chinese as typeof english, ["en-GB"])).toBe("zh-CN");
  });

  test.each([
    ["Track", TRACK],
    ["Ride", RIDE],
    ["Desk", DESK],
  ])("no text of %s is left untranslated", (_, [english, chinese]: Languages<object>) => {
    const texts = (of: object): unknown[] =>
      Object.values(of).flatMap((value) => (typeof value === "object" ? texts(value) : [value]));
    const keys = (of: object): string[] =>
      Object.entries(of).flatMap(([key, value]) => [
        key,
        ...(typeof value === "object" ? keys(value) : []),
      ]);
    expect(keys(chinese?.texts ?? {})).toEqual(keys(english.texts));
    for (const text of texts(chinese?.texts ?? {}))
      if (typeof text === "string" && text !== "") expect(text).toMatch(/\p{Script=Han}/u);
  });
});

describe("how things are written", () => {
  const british = formatsOf("en-GB");
  const chinese = formatsOf("zh-CN");
  const at = (time: string) => new Date(`2026-11-22T${time}`).getTime();

  test("times and windows", () => {
    expect(british.clock(at("19:05"))).toBe("19:05");
    expect(british.window(at("18:52"), at("19:04"))).toMatch(/^18:52\s?–\s?19:04$/);
    const night = british.window(at("23:51"), at("23:51") + 1_080_000);
    expect(night).toMatch(/^23:51\s?–\s?00:09$/);
    expect(formatsOf("en-US").clock(at("19:05"))).toMatch(/^7:05\sPM$/);
    expect(chinese.window(at("18:52"), at("19:04"))).toMatch(/18:52\s?[–-]\s?19:04/);
  });

  test("how long ago", () => {
    expect(british.ago(40.9)).toBe("40 seconds ago");
    expect(british.ago(60)).toBe("1 minute ago");
    expect(british.ago(-3)).toBe("0 seconds ago");
    expect(chinese.ago(150)).toBe("2分钟前");
  });

  test("distances are as exact as they can be", () => {
    expect([3, 347, 949, 951, 2650].map(british.distance)).toEqual([
      "10 m",
      "350 m",
      "950 m",
      "1 km",
      "2.7 km",
    ]);
  });
});

describe("the token in the address", () => {
  test("stands in the fragment", () => {
    expect(tokenOf("#a.b.c")).toBe("a.b.c");
    expect([tokenOf("#"), tokenOf("")]).toEqual([undefined, undefined]);
    expect(tokenOf("#%")).toBe("%");
  });

  test("tells who it is for, where it is a token", () => {
    const body = Buffer.from(JSON.stringify({ role: "rider", sub: "骑手-7" })).toString(
      "base64url",
    );
    expect(claimsOf(`x.${body}.y`)).toEqual({ role: "rider", sub: "骑手-7" });
    for (const none of ["", "a", "a.b.c", "a.!.c", `a.${btoa("null")}.c`])
      expect(claimsOf(none)).toBeUndefined();
  });
});

describe("the hub's clock", () => {
  test("is ours, corrected where ours is wrong", () => {
    let ours = 1_000_000_000;
    const clock = new HubClock(() => ours);
    expect(clock.now()).toBe(ours);
    clock.heard(new Date(ours - 600_000).toUTCString(), ours);
    expect(Math.abs(clock.now() - (ours - 600_000))).toBeLessThanOrEqual(500);
    ours += 5000;
    expect(Math.abs(clock.now() - (ours - 600_000))).toBeLessThanOrEqual(500);
  });

  test.each([null, "nonsense", new Date(1_000_001_000).toUTCString()])(
    "%s corrects nothing",
    (date) => {
      const clock = new HubClock(() => 1_000_000_000);
      clock.heard(date, 1_000_000_000);
      expect(clock.now()).toBe(1_000_000_000);
    },
  );
});

test("a storage that is forbidden keeps nothing, and breaks nothing", () => {
  const forbidden = keptIn(() => {
    throw new DOMException("no", "SecurityError");
  });
  forbidden.set("a", "b");
  expect(forbidden.get("a")).toBeUndefined();
  const setItem = vi.fn();
  keptIn(() => ({ setItem }) as unknown as Storage).set("a", "b");
  expect(setItem).toHaveBeenCalledWith("a", "b");
});
