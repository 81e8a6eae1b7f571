/** The pictures of the map's marks. Their colours are in `map.css`. */

export type Sign = "shop" | "door" | "rider";

const svg = (inside: string, more = "") =>
  `<svg viewBox="0 0 40 40" width="40" height="40" aria-hidden="true">${more}<circle class="disc" cx="20" cy="20" r="15"/><g class="drawn">${inside}</g></svg>`;

export const SIGNS: Readonly<Record<Sign, string>> = {
  shop: svg(
    '<path d="M13 18.500v8h14v-8M12 18l1.800-5h12.400l1.800 5a2.600 2.600 0 0 1-5.300 0 2.700 2.700 0 0 1-5.400 0 2.600 2.600 0 0 1-5.300 0ZM18 26.500v-4.500h4v4.500"/>',
  ),
  door: svg('<path d="M12 20l8-7.500 8 7.500M14.500 18.500v8h11v-8M18.200 26.500v-5h3.600v5"/>'),
  rider: svg(
    '<circle cx="13.500" cy="24.800" r="2.200"/><circle cx="26.800" cy="24.800" r="2.200"/><path d="M15.700 24.800h5.100c.6-2.700 2.200-4.500 4.500-5.200M26 22.600 23.700 13h-2.400M11.300 22.600v-1.400c0-1 .7-1.700 1.700-1.700h5.800"/><path class="box" d="M11.500 13.800h5.800v4.200h-5.800Z"/>',
    '<g class="heading"><path d="M20 0.500l4.500 6h-9Z"/></g>',
  ),
};
