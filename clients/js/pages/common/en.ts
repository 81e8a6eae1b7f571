/** What every page says, in English. Numbers and times come from Intl (`formats.ts`). */

export const common = {
  language: "Language",
  connecting: "Connecting…",
  reconnecting: "Connection lost. Reconnecting…",
  offline: "You are offline.",
  shownSince: (time: string) => `What you see is from ${time}.`,
  degraded: "Updates are delayed at the moment.",
  tryAgain: "Try again",
  failed: "That did not work. Please try again.",
  statuses: {
    PENDING: "Placed",
    CONFIRMED: "Confirmed",
    PREPARING: "In the kitchen",
    ON_DELIVERY: "On its way",
    COMPLETED: "Delivered",
    CANCELLED: "Cancelled",
    RETURNING: "Going back",
    RETURNED: "Returned",
  },
  map: {
    shop: "Restaurant",
    rider: "Rider",
    recentre: "Show all",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
  },
};
