"""Checks proofs of the log (日志证明), certificates and sealed papers (证照、文书) and receipts of data use (数据使用回执) by itself: one file, Python's own library only, no network, nothing of the product.

    python verify.py proof PROOF.json [--key PUBLIC]
    python verify.py sealed FILE.json|FILE.pdf [--key PUBLIC]
    python verify.py receipt RECEIPT.json [--key PUBLIC]
    python verify.py consistency OLD-HEAD.json NEW-HEAD.json CONSISTENCY.json [--key PUBLIC]

The tree is that of RFC 9162 (2.1) over SM3 (GB/T 32905); heads are signed with SM2 (GB/T 32918, identity
1234567812345678). Exit status: 0 it holds, 1 it does not, 2 wrong use or an unreadable file.
"""

import hashlib
import json
import re
import sys
import zlib

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
A, B = P - 3, 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0


class Wrong(Exception):
    """It does not hold; the message says what."""


def rol(x, n):
    """Rotate 32 bits to the left."""
    return ((x << n % 32) | (x >> (32 - n % 32))) & 0xFFFFFFFF


def plain_sm3(data):
    """SM3 by the book, for a Python whose hashlib lacks it."""
    v = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    data += b"\x80" + bytes((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "big")
    for start in range(0, len(data), 64):
        w = [int.from_bytes(data[i : i + 4], "big") for i in range(start, start + 64, 4)]
        for i in range(16, 68):
            x = w[i - 16] ^ w[i - 9] ^ rol(w[i - 3], 15)
            w.append(x ^ rol(x, 15) ^ rol(x, 23) ^ rol(w[i - 13], 7) ^ w[i - 6])
        a, b, c, d, e, f, g, h = v
        for i in range(64):
            s1 = rol((rol(a, 12) + e + rol(0x79CC4519 if i < 16 else 0x7A879D8A, i)) & 0xFFFFFFFF, 7)
            ff, gg = (a ^ b ^ c, e ^ f ^ g) if i < 16 else (a & b | a & c | b & c, e & f | ~e & g)
            t1 = (ff + d + (s1 ^ rol(a, 12)) + (w[i] ^ w[i + 4])) & 0xFFFFFFFF
            t2 = (gg + h + s1 + w[i]) & 0xFFFFFFFF
            a, b, c, d, e, f, g, h = t1, a, rol(b, 9), c, t2 ^ rol(t2, 9) ^ rol(t2, 17), e, rol(f, 19), g
        v = [x ^ y for x, y in zip(v, (a, b, c, d, e, f, g, h), strict=True)]
    return b"".join(x.to_bytes(4, "big") for x in v)


def sm3(data):
    """SM3, 32 bytes."""
    return hashlib.new("sm3", data).digest() if "sm3" in hashlib.algorithms_available else plain_sm3(data)


def add(one, two):
    """The sum of two points of the curve; None is the point at infinity."""
    if one is None or two is None:
        return one or two
    (x1, y1), (x2, y2) = one, two
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) if one == two else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def times(number, point):
    """A point multiplied."""
    found = None
    for bit in bin(number)[2:]:
        found = add(found, found)
        found = add(found, point) if bit == "1" else found
    return found


def signed(public, message, signature):
    """Whether the SM2 signature (r and s) of the message holds."""
    x, y = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(public) != 65 or public[0] != 4 or x >= P or y >= P or (y * y - x**3 - A * x - B) % P:
        raise Wrong("公钥不是 SM2 曲线上的点")
    if len(signature) != 64 or not (0 < r < N and 0 < s < N and (r + s) % N):
        return False
    z = sm3(b"\x00\x801234567812345678" + b"".join(n.to_bytes(32, "big") for n in (A, B, GX, GY, x, y)))
    e, point = int.from_bytes(sm3(z + message), "big"), add(times(s, (GX, GY)), times((r + s) % N, (x, y)))
    return point is not None and (e + point[0]) % N == r


def node(left, right):
    """The hash over two neighbours."""
    return sm3(b"\x01" + left + right)


def climb(number, size, path, first, second=None):
    """Follow a path upwards (RFC 9162, 2.1.3.2 and 2.1.4.2); ``first`` takes only what stands on its left."""
    here, last = number, size - 1
    second = first if second is None else second
    for each in path:
        if last == 0:
            raise Wrong("证明的路径太长")
        if here & 1 or here == last:
            first, second = node(each, first), node(each, second)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            second = node(second, each)
        here, last = here >> 1, last >> 1
    if last:
        raise Wrong("证明的路径太短")
    return first, second


def check_head(head, key):
    """A head's signature; the key must be the one given, if one was."""
    if key and head["public_key"].lower() != key.lower():
        raise Wrong("签名的密钥不是您给出的公钥")
    text = f"liangzhu log head 1\n{head['size']}\n{head['root']}\n{head['time']}\n".encode()
    if not signed(bytes.fromhex(head["public_key"]), text, bytes.fromhex(head["signature"])):
        raise Wrong(f"大小为 {head['size']} 的树头签名不对")
    print(f"树头：{head['size']} 条，{head['time']}，签名有效\n公钥：{head['public_key']}")


def check_proof(proof, key):
    """Leaf, details, path, head."""
    leaf, head = proof["leaf"], proof["head"]
    check_head(head, key)
    own, path = bytes.fromhex(leaf["hash"]), [bytes.fromhex(each) for each in proof["path"]]
    if "text" in leaf and sm3(b"\x00" + leaf["text"].encode()) != own:
        raise Wrong("日志内容与它的散列不符")
    if "details" in proof:
        details = bytes.fromhex(proof["details"]["salt"]) + proof["details"]["body"].encode()
        if sm3(details).hex() != json.loads(leaf["text"])["commitment"]:
            raise Wrong("内容与日志里的承诺值不符")
    if not 0 <= leaf["number"] < head["size"]:
        raise Wrong("编号不在树里")
    if climb(leaf["number"], head["size"], path, own)[1].hex() != head["root"]:
        raise Wrong("路径连不到树根：这一条不在树里，或被改过")
    print(f"{leaf['number']} 号在树里。", leaf.get("text", "（证明里只有散列）"), sep="\n")


def check_sealed(file, key):
    """The seal's signature over the statement, and that the log holds exactly this statement."""
    text = file["statement"].encode()
    if not signed(bytes.fromhex(file["public_key"]), text, bytes.fromhex(file["signature"])):
        raise Wrong("印章的签名不对：内容被改过，或者不是这枚印章签的")
    said = json.loads(text)
    if said["seal"]["public_key"] != file["public_key"]:
        raise Wrong("签名的密钥不是内容里写的那枚印章的")
    title = said["type"]["title"] if "type" in said else said["title"]
    print(f"{title} {said['number']}，{said['issuer']['name']}，{said['issued_on']}")
    for one in said.get("fields", ()):
        print(f"{one['title']}：{one['value']}")
    print(f"印章：{said['seal']['unit']}{said['seal']['use']}（{said['seal']['number']}），签名有效")
    if "proof" not in file:
        print("文件里没有日志证明：只能说明签名有效。")
        return
    if "details" not in file["proof"]:
        raise Wrong("日志证明里没有内容的散列")
    check_proof(file["proof"], key)
    if json.loads(file["proof"]["details"]["body"])["digest"] != sm3(text).hex():
        raise Wrong("日志里登记的不是这份内容")
    print("日志里登记的正是这份内容。是否仍然有效，请联网核验。")


def attached(pdf):
    """The sealed file inside a PDF: the attachment that is JSON of ours."""
    for found in re.finditer(rb"/EmbeddedFile[^\0]{0,400}?stream\r?\n", pdf):
        try:
            text = zlib.decompressobj().decompress(pdf[found.end() :])
            if b"liangzhu-sealed" in text:
                return json.loads(text)
        except (zlib.error, ValueError):
            continue
    raise ValueError("PDF 里没有核验文件")


def check_receipt(receipt, key):
    """A receipt of data use: its signature, and that a leaf of the log, told by ``key``, commits to every word of it."""
    text, said = receipt["statement"].encode(), json.loads(receipt["statement"])
    if not signed(bytes.fromhex(receipt["public_key"]), text, bytes.fromhex(receipt["signature"])):
        raise Wrong("回执的签名不对")
    check_proof(receipt["proof"], key)
    leaf, details = (
        json.loads(receipt["proof"]["leaf"]["text"]),
        json.loads(receipt["proof"]["details"]["body"]),
    )
    if details["receipt"] != sm3(text).hex():
        raise Wrong("日志里承诺的不是这份回执")
    if (leaf["subject"], leaf["actor"]) != (said["subject"], said["reader"]["operator"]):
        raise Wrong("回执说的人与日志里的不符")
    promised = {field["name"]: field.get("commitment") for field in said["fields"]}
    for name, opened in receipt.get("openings", {}).items():
        value = json.dumps(opened["value"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if sm3(bytes.fromhex(opened["salt"]) + value.encode()).hex() != promised.get(name):
            raise Wrong(f"“{name}”的内容与回执的承诺不符")
    words = "、".join(field["title"] for field in said["fields"])
    print(
        f"回执：{said['at']}，{said['reader']['unit'] or said['reader']['operator']} 为 {said['case']}（{said['purpose']}）"
    )
    print(
        f"从 {said['source']['holder']}“{said['source']['title']}”读取：{words}\n依据：{said['ground'] or '无'}；结果：{said['outcome']}"
    )


def check_consistency(old, new, proof, key):
    """That the tree of one head continues that of the other."""
    for mine, name in ((old, "old"), (new, "new")):
        check_head(mine, key)
        if (proof[name]["size"], proof[name]["root"]) != (mine["size"], mine["root"]):
            raise Wrong(f"一致性证明说的不是大小为 {mine['size']} 的这个树头")
    small, large, path = old["size"], new["size"], [bytes.fromhex(each) for each in proof["path"]]
    if not 0 < small <= large:
        raise Wrong("旧树头比新树头大：日志被截短过")
    if small & (small - 1) == 0 or small == large:
        path = [bytes.fromhex(old["root"]), *path]
    shift = (small & -small).bit_length() - 1 if small < large else large.bit_length()
    first, second = climb(small - 1 >> shift, (large - 1 >> shift) + 1, path[1:], path[0])
    if (first.hex(), second.hex()) != (old["root"], new["root"]):
        raise Wrong("新树不是旧树长出来的：旧的部分被改过或截去")
    print(f"{large} 条的树由 {small} 条的树长出，旧的部分没有动。")


def load(name):
    """A JSON file, or the one inside a PDF."""
    with open(name, "rb") as file:
        data = file.read()
    return attached(data) if data.startswith(b"%PDF") else json.loads(data.decode("utf-8"))


def main(words):
    """Run; returns the exit status."""
    words, key = (words[:-2], words[-1]) if words[-2:-1] == ["--key"] else (words, None)
    try:
        if words[:1] == ["proof"] and len(words) == 2:
            check_proof(load(words[1]), key)
        elif words[:1] == ["sealed"] and len(words) == 2:
            check_sealed(load(words[1]), key)
        elif words[:1] == ["receipt"] and len(words) == 2:
            check_receipt(load(words[1]), key)
        elif words[:1] == ["consistency"] and len(words) == 4:
            check_consistency(*map(load, words[1:]), key)
        else:
            print(__doc__)
            return 2
    except Wrong as wrong:
        print(f"不成立：{wrong}。")
        return 1
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        print(f"读不懂：{error!r}。")
        return 2
    print("成立。" if key else "成立。公钥取自文件本身：请与公布的公钥核对，或用 --key 给出。")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
