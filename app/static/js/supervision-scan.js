// A printed head read by the camera where the browser can (BarcodeDetector); elsewhere the button stays hidden and one types.

const button = document.querySelector("[data-scan]");
const view = document.querySelector("[data-scan-view]");

async function scan() {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  view.srcObject = stream;
  view.hidden = false;
  await view.play();
  const stop = () => {
    stream.getTracks().forEach((track) => track.stop());
    view.hidden = true;
  };
  const until = Date.now() + 60000;
  const look = async () => {
    const codes = await detector.detect(view);
    const found = codes.map((code) => code.rawValue).find((text) => text.includes("mj1:"));
    if (found) {
      stop();
      document.getElementById(button.dataset.scan).value = found.slice(found.indexOf("mj1:")).trim();
    } else if (Date.now() < until) requestAnimationFrame(look);
    else stop();
  };
  look();
}

if (button && "BarcodeDetector" in window && navigator.mediaDevices) {
  button.hidden = false;
  button.addEventListener("click", () => scan().catch(() => { button.hidden = true; }));
}
