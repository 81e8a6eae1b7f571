/** Times, durations and distances as people of a language write them. All by Intl. */

export interface Formats {
  /** 19:05 */
  clock(at: number): string;
  /** 19:05:43 */
  precise(at: number): string;
  /** 18:52–19:04; one time where both fall into the same minute. */
  window(from: number, to: number): string;
  /** 40 seconds ago; minutes from one minute on, hours from two hours on. */
  ago(seconds: number): string;
  /** 12 minutes */
  minutes(count: number): string;
  /** 4 seconds */
  seconds(count: number): string;
  /** 650 m, 1.2 km */
  distance(metres: number): string;
  number(value: number): string;
}

export function formatsOf(language: string): Formats {
  const clock = clockOf(language);
  const precise = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
  const relative = new Intl.RelativeTimeFormat(language, { style: "long" });
  const plain = new Intl.NumberFormat(language);
  const unit = (name: string, display: "short" | "long", digits = 0) => {
    const options = { style: "unit", unit: name, unitDisplay: display } as const;
    return new Intl.NumberFormat(language, { ...options, maximumFractionDigits: digits });
  };
  const minutes = unit("minute", "long");
  const seconds = unit("second", "long");
  const metres = unit("meter", "short");
  const kilometres = unit("kilometer", "short", 1);
  return {
    clock: (at) => clock.format(at),
    precise: (at) => precise.format(at),
    // Of two days the range would tell the dates as well.
    window: (from, to) =>
      new Date(from).toDateString() === new Date(to).toDateString()
        ? clock.formatRange(from, to)
        : `${clock.format(from)} – ${clock.format(to)}`,
    ago: (passed) =>
      passed < 60
        ? relative.format(-Math.max(0, Math.floor(passed)), "second")
        : passed < 7200
          ? relative.format(-Math.floor(passed / 60), "minute")
          : relative.format(-Math.floor(passed / 3600), "hour"),
    minutes: (count) => minutes.format(count),
    seconds: (count) => seconds.format(count),
    distance: (length) =>
      length < 950 ? metres.format(roundTo(length, 10)) : kilometres.format(length / 1000),
    number: (value) => plain.format(value),
  };
}

/** 09:05, or 9:05 AM where the day has twice twelve hours. */
function clockOf(language: string): Intl.DateTimeFormat {
  const options = { hour: "2-digit", minute: "2-digit" } as const;
  const clock = new Intl.DateTimeFormat(language, options);
  const { hour12 } = clock.resolvedOptions();
  return hour12 ? new Intl.DateTimeFormat(language, { ...options, hour: "numeric" }) : clock;
}

function roundTo(value: number, step: number): number {
  return Math.max(step, Math.round(value / step) * step);
}
