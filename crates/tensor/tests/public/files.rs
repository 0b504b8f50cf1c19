//! Writing files: what stands at the path, what is left of killed processes, many writers at once.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Error, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use wengert_tensor::file::{AccessError, move_into_place, write_atomically};

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wengert-files-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn save(path: &Path, text: &str) -> Result<(), AccessError> {
    write_atomically(path, |file| Ok(file.write_all(text.as_bytes())?))
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_failure_or_a_panic_leaves_the_old_file_and_no_other() {
    let folder = Folder::new("failure");
    let path = folder.join("a");
    save(&path, "old").unwrap();
    let failed = write_atomically(&path, |file| {
        file.write_all(b"half")?;
        Err(Error::other("no"))
    });
    assert_eq!(failed.unwrap_err().to_string(), "no");
    let panicked = std::panic::catch_unwind(|| {
        write_atomically(&path, |file| -> Result<(), Error> {
            file.write_all(b"half")?;
            panic!("in the middle");
        })
    });
    assert!(panicked.is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(folder.names(), ["a"]);
    assert!(matches!(save(&folder.join("missing/a"), "x"), Err(AccessError::Io(_))));
    for nameless in ["", "..", "/"] {
        assert!(save(Path::new(nameless), "x").is_err(), "{nameless}");
    }
}

#[test]
fn links_stay_and_lead_to_the_new_contents() {
    let folder = Folder::new("links");
    std::fs::create_dir(folder.join("deep")).unwrap();
    let target = folder.join("deep/target");
    save(&target, "old").unwrap();
    symlink("deep/target", folder.join("relative")).unwrap();
    symlink(&target, folder.join("absolute")).unwrap();
    symlink("../relative", folder.join("deep/back")).unwrap();
    symlink("deep/made", folder.join("dangling")).unwrap();
    for link in ["relative", "absolute", "deep/back"] {
        save(&folder.join(link), link).unwrap();
        assert!(std::fs::symlink_metadata(folder.join(link)).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), link);
    }
    save(&folder.join("dangling"), "new").unwrap();
    assert!(std::fs::symlink_metadata(folder.join("dangling")).unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(folder.join("deep/made")).unwrap(), "new");
    symlink("loop", folder.join("loop")).unwrap();
    assert!(matches!(save(&folder.join("loop"), "x"), Err(AccessError::Io(_))));
    assert_eq!(folder.names(), ["absolute", "dangling", "deep", "loop", "relative"]);
    assert_eq!(std::fs::read_dir(folder.join("deep")).unwrap().count(), 3);
}

#[test]
fn modes_stay_and_new_files_have_the_usual_one() {
    let folder = Folder::new("modes");
    let (path, usual) = (folder.join("a"), folder.join("usual"));
    std::fs::write(&usual, "").unwrap();
    save(&path, "new").unwrap();
    assert_eq!(mode(&path), mode(&usual));
    for bits in [0o600, 0o644, 0o640, 0o666, 0o755, 0o200] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(bits)).unwrap();
        // While it is written, nobody may read what only the owner may read in the end.
        write_atomically(&path, |_| {
            let temporary = folder.names().into_iter().find(|name| name.starts_with('.')).unwrap();
            assert_eq!(mode(&folder.join(&temporary)) & 0o077, 0);
            Ok::<(), Error>(())
        })
        .unwrap();
        assert_eq!(mode(&path), bits, "{bits:o}");
    }
    // The superuser gives files away, and gets none by saving.
    if std::os::unix::fs::chown(&path, Some(12_345), Some(54_321)).is_ok() {
        save(&path, "x").unwrap();
        let now = std::fs::metadata(&path).unwrap();
        assert_eq!((now.uid(), now.gid(), mode(&path)), (12_345, 54_321, 0o200));
    }
}

#[test]
fn what_is_no_regular_file_stays() {
    let folder = Folder::new("kinds");
    let fifo = folder.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let socket = folder.join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::fs::create_dir(folder.join("folder")).unwrap();
    symlink("fifo", folder.join("link")).unwrap();
    for (path, expected) in [
        (fifo.clone(), "a FIFO"),
        (folder.join("link"), "a FIFO"),
        (socket.clone(), "a socket"),
        (folder.join("folder"), "a folder"),
        (folder.join("folder/"), "a folder"),
        (folder.join("none/"), "the name of a folder"),
        ("/dev/null".into(), "a device"),
        (".".into(), "a folder"),
    ] {
        match save(&path, "x") {
            Err(AccessError::NotAFile { kind }) => assert_eq!(kind, expected, "{path:?}"),
            other => panic!("{path:?}: {other:?}"),
        }
        let moved =
            std::fs::File::open("/dev/null").map(|file| move_into_place(&file, &folder.join("x"), &path));
        assert!(matches!(moved, Ok(Err(AccessError::NotAFile { .. }))), "{path:?}");
    }
    assert!(std::fs::metadata(&fifo).unwrap().file_type().is_fifo());
    assert!(std::fs::metadata(&socket).unwrap().file_type().is_socket());
    assert_eq!(folder.names(), ["fifo", "folder", "link", "socket"]);
}

#[test]
fn any_name_that_a_file_can_have() {
    let folder = Folder::new("names");
    let long = "n".repeat(255);
    for name in ["a b", "ä\u{301}", "new\nline", ".hidden", "-", &long] {
        save(&folder.join(name), "1").unwrap();
        save(&folder.join(name), "2").unwrap();
        assert_eq!(std::fs::read(folder.join(name)).unwrap(), b"2");
    }
    assert_eq!(folder.names().len(), 6);
    assert!(matches!(save(&folder.join(&"n".repeat(256)), "x"), Err(AccessError::Io(_))));
}

/// What a child process of these tests is to do: see [`child`].
const CHILD: &str = "WENGERT_TEST_WRITER";

fn spawn(task: &str, path: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "public::files::child", "--nocapture"])
        .env(CHILD, task)
        .env("WENGERT_TEST_PATH", path);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn child() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let path = PathBuf::from(std::env::var_os("WENGERT_TEST_PATH").unwrap());
    match task.as_str() {
        "wait" => write_atomically(&path, |file| {
            file.write_all(b"from the child")?;
            file.flush()?;
            println!("READY");
            std::io::stdin().read_line(&mut String::new())?;
            Ok::<(), Error>(())
        })
        .unwrap(),
        "forever" => loop {
            write_atomically(&path, |file| {
                (0..64).try_for_each(|_| file.write_all(&[b'x'; 1 << 16]))?;
                Ok::<(), Error>(())
            })
            .unwrap();
        },
        "too much" => {
            let error = write_atomically(&path, |file| file.write_all(&[b'x'; 1 << 20])).unwrap_err();
            println!("RESULT {:?} {error}", error.kind());
        }
        letter => {
            for _ in 0..50 {
                save(&path, &letter.repeat(100_000)).unwrap();
            }
        }
    }
}

/// Waits until the child has written "READY" to its output, which must stay open.
fn wait_until_ready(child: &mut Child) -> impl BufRead + use<> {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.by_ref().lines().any(|line| line.unwrap().contains("READY")));
    output
}

#[test]
fn what_a_killed_process_left_is_cleared_and_a_live_one_keeps_its_own() {
    let folder = Folder::new("killed");
    let path = folder.join("model");
    let others = [".model.x.1-1.wengert.tmp", ".model.1-1.tmp", "model.tmp", ".other.1-1.wengert.tmp"];
    for name in others {
        std::fs::write(folder.join(name), "another's").unwrap();
    }
    let mut alive = spawn("wait", &path);
    let _output = wait_until_ready(&mut alive);
    let mut dead = spawn("wait", &path);
    let _output_of_the_other = wait_until_ready(&mut dead);
    assert_eq!(folder.names().len(), 6);
    dead.kill().unwrap();
    dead.wait().unwrap();
    assert_eq!(folder.names().len(), 6, "nothing clears up after a kill");

    save(&path, "from the parent").unwrap();
    let temporary = format!(".model.{}-0.wengert.tmp", alive.id());
    assert!(folder.names().contains(&temporary), "{:?}", folder.names());
    assert_eq!(folder.names().len(), 6);
    assert_eq!(std::fs::read(&path).unwrap(), b"from the parent");

    alive.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(alive.wait().unwrap().success());
    assert_eq!(std::fs::read(&path).unwrap(), b"from the child");
    let mut expected = others.to_vec();
    expected.push("model");
    expected.sort_unstable();
    assert_eq!(folder.names(), expected);
}

#[test]
fn many_kills_leave_one_temporary_at_most() {
    let folder = Folder::new("kills");
    let path = folder.join("model");
    save(&path, &"x".repeat(64 << 16)).unwrap();
    for round in 0..25 {
        let mut writer = spawn("forever", &path);
        std::thread::sleep(Duration::from_millis(5 + 3 * round));
        writer.kill().unwrap();
        writer.wait().unwrap();
        assert!(folder.names().len() <= 2, "{:?}", folder.names());
        let contents = std::fs::read(&path).unwrap();
        assert!(contents.len() == 64 << 16 && contents.iter().all(|&b| b == b'x'));
    }
    save(&path, "x").unwrap();
    assert_eq!(folder.names(), ["model"]);
}

#[test]
fn of_many_writers_at_once_one_leaves_a_whole_file() {
    let folder = Folder::new("many");
    let path = folder.join("model");
    save(&path, &"a".repeat(100_000)).unwrap();
    let mut children = ["b", "c"].map(|letter| spawn(letter, &path));
    std::thread::scope(|scope| {
        for letter in ["d", "e"] {
            let path = &path;
            scope.spawn(move || (0..50).for_each(|_| save(path, &letter.repeat(100_000)).unwrap()));
        }
        for _ in 0..200 {
            let contents = std::fs::read(&path).unwrap();
            assert!(contents.len() == 100_000 && contents.iter().all(|&b| b == contents[0]));
        }
    });
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(folder.names(), ["model"]);
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let folder = Folder::new("full");
    let path = folder.join("model");
    save(&path, "old").unwrap();
    // The limit of a process on the size of a file is the full disk that a test can have.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" --exact public::files::child --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, "too much")
        .env("WENGERT_TEST_PATH", &path)
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(output.contains("RESULT FileTooLarge"), "{output}");
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(folder.names(), ["model"]);
}

#[test]
fn a_write_protected_place_is_left_alone() {
    let folder = Folder::new("protected");
    let path = folder.join("model");
    save(&path, "old").unwrap();
    let allow = |path: &Path, bits| std::fs::set_permissions(path, PermissionsExt::from_mode(bits)).unwrap();
    allow(&path, 0o400);
    // The superuser may write everywhere.
    if std::fs::OpenOptions::new().write(true).open(&path).is_err() {
        assert!(matches!(save(&path, "new"), Err(AccessError::Io(_))));
        allow(&path, 0o600);
        allow(&folder.0, 0o500);
        assert!(matches!(save(&path, "new"), Err(AccessError::Io(_))));
        allow(&folder.0, 0o700);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
    }
    // Where nobody may: a file of the kernel's.
    assert!(matches!(save(Path::new("/proc/self/wengert"), "x"), Err(AccessError::Io(_))));
    assert_eq!(folder.names(), ["model"]);
}
