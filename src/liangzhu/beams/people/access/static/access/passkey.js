// Says in words when a passkey could not be used; allauth's own script only writes to the console.
const place = document.querySelector("[data-passkey-problem]");

const words = {
  NotAllowedError: "没有完成：您取消了，或等待超时。可以再试一次，或改用其他方式。",
  InvalidStateError: "这个设备已经为本账号登记过通行密钥。",
  NotSupportedError: "这个设备不支持通行密钥，请改用身份验证器。",
  SecurityError: "当前网址不能使用通行密钥：需要 https 或本机地址。",
};

function tell(text) {
  if (!place) return;
  place.querySelector("p").textContent = text;
  place.hidden = false;
  place.focus();
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  tell(words[event.detail.exception?.name] ?? "通行密钥没有成功，请再试一次，或改用其他方式。");
});

if (!window.PublicKeyCredential) {
  document.querySelectorAll("[data-passkey]").forEach((button) => {
    button.disabled = true;
  });
  tell("这个浏览器不支持通行密钥，请用密码或换一个浏览器。");
}
