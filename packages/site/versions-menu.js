// On every page of the site: a menu of the versions that stand beside this one, named by versions.js above them.
(() => {
  const script = document.currentScript.src;
  const all = new URL("../../", script);
  const here = decodeURIComponent(new URL("../", script).pathname.split("/").at(-2));
  const list = document.createElement("script");
  list.src = new URL("versions.js", all).href;
  list.onload = () => {
    const versions = globalThis.S3EC_VERSIONS;
    if (!versions.includes(here)) return;
    const menu = document.createElement("select");
    menu.id = "versions-menu";
    menu.ariaLabel = "Version";
    for (const version of versions) menu.append(new Option(version, version, version === here, version === here));
    menu.onchange = () => location.assign(new URL(`${menu.value}/index.html`, all));
    document.getElementById("tsd-toolbar-links").before(menu);
  };
  document.head.append(list);
})();
