{
  const box = document.getElementById("find"), told = document.getElementById("found");
  const rows = [...document.querySelectorAll("#summary tbody tr")].map(row => {
    const part = document.getElementById(row.querySelector("a").hash.slice(1));
    const text = (row.textContent + " " + part.textContent).toLowerCase().replaceAll("\u2060", "");
    return {row, part, text};
  });
  const find = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const {row, part, text} of rows)
      found += !(row.hidden = part.hidden = !words.every(word => text.includes(word)));
    told.textContent = words.length ? `${found} of ${rows.length}` : "";
  };
  box.closest("search").hidden = false;
  box.addEventListener("input", find);
  find();
}
