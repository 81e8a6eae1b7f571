/** What every page says, in Chinese. Numbers and times come from Intl (`formats.ts`). */

import type { common as english } from "./en.ts";

export const common: typeof english = {
  language: "语言",
  connecting: "正在连接…",
  reconnecting: "连接中断，正在重新连接…",
  offline: "您已离线。",
  shownSince: (time) => `以下为 ${time} 的信息。`,
  degraded: "更新暂时有延迟。",
  tryAgain: "重试",
  failed: "操作未成功，请重试。",
  statuses: {
    PENDING: "已下单",
    CONFIRMED: "已接单",
    PREPARING: "制作中",
    ON_DELIVERY: "配送中",
    COMPLETED: "已送达",
    CANCELLED: "已取消",
    RETURNING: "退回中",
    RETURNED: "已退回",
  },
  map: {
    shop: "商家",
    rider: "骑手",
    recentre: "显示全部",
    zoomIn: "放大",
    zoomOut: "缩小",
  },
};
