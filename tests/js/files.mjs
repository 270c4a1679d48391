// The viewer's modules, as the tests import them: `const { Ring } = await signal("pyramid.js");`.
const STUDIO = new URL("../../host_tools/studio/", import.meta.url);

export const signal = (name) => import(new URL(`signal/${name}`, STUDIO));
export const shared = (name) => import(new URL(`static/${name}`, STUDIO));
export const explore = (name) => import(new URL(`explore/${name}`, STUDIO));

// A view 1000 px wide, 10 px per 100 ms from t0 = 0, with the given values in place of its own.
export function fakeView(values = {}) {
  return {
    t0: 0, t1: 9400, gutter: 60, width: 1000, height: 600, flags: [], spans: [], curves: [],
    selected: null, editable: false, overview: true, ring: null, meta: { axes: "abcdef".split("") },
    x(t_ms) { return this.gutter + t_ms / 10; },
    t(x) { return (x - this.gutter) * 10; },
    ...values,
  };
}
