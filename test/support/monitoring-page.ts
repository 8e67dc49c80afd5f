/** The labels of each metric in the table of docs/monitoring.md. */
export function documentedLabels(page: string): ReadonlyMap<string, readonly string[]> {
  const rows = [...page.matchAll(/^\| `(csi_node_\w+)` +\| ([^|]*)\|/gm)];
  return new Map(
    rows.map(([, name = "", cell = ""]) => {
      const labels = [...cell.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label);
      // All series of drivers have it.
      return [name, name.startsWith("csi_node_driver_") ? ["driver_name", ...labels] : labels] as const;
    }),
  );
}
