//! Image files: pixels, sizes, folders, and what is none.
#![cfg(feature = "image")]

use std::error::Error;
use std::path::{Path, PathBuf};

use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage,
};
use wengert_data::images::{ImageFolder, ImageReader};
use wengert_data::{DataError, Dataset};
use wengert_tensor::Tensor;
use wengert_tensor::parallel::with_threads;

/// The bytes of an image in a file, of which all numbers are multiples of 1 / 255.
fn bytes(reader: ImageReader, path: &Path) -> (Vec<usize>, Vec<u8>) {
    let image = reader.read::<f64>(path).unwrap();
    let levels = image.to_vec().into_iter().map(|x| {
        let level = (x * 255.0).round();
        assert_eq!(level / 255.0, x);
        level as u8
    });
    (image.shape()[..].to_vec(), levels.collect())
}

fn saved(folder: &Path, name: &str, image: impl Into<DynamicImage>) -> PathBuf {
    let path = folder.join(name);
    image.into().save(&path).unwrap();
    path
}

/// An image of one channel of some noise.
fn noise(height: u32, width: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| {
        let i = y * width + x;
        Luma([((37 * i * i + 91 * i + 13) % 256) as u8])
    })
}

#[test]
fn pixels_are_planes_of_each_channel_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let image = RgbImage::from_fn(3, 2, |x, y| Rgb([10 * x as u8, 20 * y as u8, 100 + x as u8 + y as u8]));
    let path = saved(folder.path(), "a.png", image);
    let (shape, pixels) = bytes(ImageReader::rgb(), &path);
    assert_eq!(shape, [3, 2, 3]);
    assert_eq!(pixels, [0, 10, 20, 0, 10, 20, 0, 0, 0, 20, 20, 20, 100, 101, 102, 101, 102, 103]);
}

#[test]
fn all_kinds_of_pixels_become_grey_and_colours() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name, image| saved(folder.path(), name, image);
    // Pillow: Image.new("RGB", (1, 1), (200, 10, 77)).convert("L") has 74, that is (299 · 200 + 587 · 10 + 114 · 77) / 1000 = 74.4.
    for (path, colours, grey) in [
        (of("l.png", DynamicImage::from(GrayImage::from_pixel(1, 1, Luma([7])))), [7, 7, 7], 7),
        (of("la.png", GrayAlphaImage::from_pixel(1, 1, LumaA([7, 0])).into()), [7, 7, 7], 7),
        (of("rgb.png", RgbImage::from_pixel(1, 1, Rgb([200, 10, 77])).into()), [200, 10, 77], 74),
        (of("rgba.png", RgbaImage::from_pixel(1, 1, Rgba([200, 10, 77, 3])).into()), [200, 10, 77], 74),
        (
            of("l16.png", ImageBuffer::<Luma<u16>, _>::from_pixel(1, 1, Luma([0x8080])).into()),
            [0x80; 3],
            0x80,
        ),
    ] {
        assert_eq!(bytes(ImageReader::rgb(), &path), (vec![3, 1, 1], colours.to_vec()), "{path:?}");
        assert_eq!(bytes(ImageReader::grey(), &path), (vec![1, 1, 1], vec![grey]), "{path:?}");
    }
}

/// Golden numbers of torch 2.15: `interpolate(x[None, None].double(), size, mode="bilinear", antialias=True)`, with the noise of
/// above as `x`. A byte is the nearest to its number, where halves may go either way.
#[test]
fn resizing_is_bilinear_with_antialiasing() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), "noise.png", noise(5, 7));
    for (size, golden) in [
        (
            [3, 4],
            &[
                88.279, 118.657, 120.017, 76.796, 140.619, 188.387, 131.027, 166.735, 143.748, 209.114,
                139.846, 79.367,
            ][..],
        ),
        (
            [2, 7],
            &[
                92.818, 122.091, 178.818, 100.091, 130.273, 118.091, 98.455, 80.273, 214.636, 190.273,
                216.636, 84.273, 177.182, 76.455,
            ][..],
        ),
        (
            [8, 3],
            &[
                83.714, 126.765, 126.857, 101.839, 112.868, 92.232, 128.071, 100.346, 57.964, 157.357,
                153.801, 160.464, 165.482, 178.029, 184.661, 152.446, 173.029, 130.554, 163.036, 183.184,
                89.786, 172.286, 191.471, 62.286,
            ][..],
        ),
        (
            [10, 9],
            &[
                13.000, 98.333, 117.000, 91.444, 107.000, 180.111, 152.111, 108.333, 99.000, 49.500, 93.167,
                120.111, 117.056, 84.000, 158.278, 131.444, 88.833, 80.500, 122.500, 82.833, 126.333,
                168.278, 38.000, 114.611, 90.111, 49.833, 43.500, 142.000, 104.333, 150.167, 194.444, 66.500,
                95.667, 94.833, 85.333, 81.000, 108.000, 157.667, 191.611, 195.556, 169.500, 101.444,
                145.611, 195.333, 193.000, 84.500, 178.833, 208.000, 192.944, 219.000, 103.500, 171.333,
                230.500, 187.500, 71.500, 167.833, 199.333, 186.611, 215.000, 101.833, 172.000, 190.833,
                64.500, 69.000, 167.333, 201.167, 190.778, 221.500, 110.667, 147.611, 140.333, 16.000,
                77.000, 177.333, 213.500, 205.444, 238.500, 130.000, 98.167, 79.000, 42.000, 81.000, 182.333,
                219.667, 212.778, 247.000, 139.667, 73.444, 48.333, 55.000,
            ][..],
        ),
    ] {
        let (shape, pixels) = bytes(ImageReader::grey().resized(size), &path);
        assert_eq!((shape, pixels.len()), (vec![1, size[0], size[1]], golden.len()));
        for (i, (&pixel, number)) in pixels.iter().zip(golden).enumerate() {
            assert!((f64::from(pixel) - number).abs() < 0.501, "{size:?}: {pixel} at {i}, not {number}");
        }
        let (_, colours) = bytes(ImageReader::rgb().resized(size), &path);
        assert_eq!(colours, pixels.repeat(3), "{size:?}");
    }
}

#[test]
fn a_jpeg_is_told_by_its_bytes_and_near_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let image = RgbImage::from_fn(16, 8, |x, y| Rgb([15 * x as u8, 30 * y as u8, 128]));
    let path = saved(folder.path(), "a.jpg", image.clone());
    let named_wrongly = folder.path().join("a.png");
    std::fs::copy(&path, &named_wrongly).unwrap();
    let (shape, pixels) = bytes(ImageReader::rgb(), &path);
    assert_eq!((shape.as_slice(), &pixels), (&[3, 8, 16][..], &bytes(ImageReader::rgb(), &named_wrongly).1));
    let planes: Vec<u8> = (0..3).flat_map(|c| image.as_raw().iter().skip(c).step_by(3).copied()).collect();
    let error: f64 = pixels.iter().zip(&planes).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / 384.0;
    assert!(error < 12.0, "a mean error of {error} levels");
}

#[test]
fn folders_are_classes_in_the_order_of_their_names() -> Result<(), Box<dyn Error>> {
    let root = tempfile::tempdir()?;
    let at = |name: &str| root.path().join(name);
    for folder in ["b", "a", "a/deeper", ".hidden"] {
        std::fs::create_dir(at(folder))?;
    }
    for (name, level) in
        [("b/1.PNG", 3), ("a/2.png", 1), ("a/deeper/0.jpeg", 2), (".hidden/0.png", 9), ("0.png", 9)]
    {
        GrayImage::from_pixel(2, 2, Luma([level])).save(at(name))?;
    }
    std::fs::write(at("a/notes.txt"), "no image")?;
    std::fs::write(at("a/.0.png"), "no image")?;
    let folder = ImageFolder::new(root.path())?;
    assert_eq!(folder.classes, ["a", "b"]);
    assert_eq!(folder.files, ["a/2.png", "a/deeper/0.jpeg", "b/1.PNG"].map(at));
    assert_eq!(folder.labels.to_vec(), [0, 0, 1]);
    let data = folder.read(&ImageReader::grey())?;
    let (images, labels) = data.all();
    assert_eq!((images.shape()[..].to_vec(), labels.to_vec()), (vec![3, 1, 2, 2], vec![0, 0, 1]));
    let levels = [0, 1, 2].map(|i| (images.value().at([i, 0, 1, 1]) * 255.0).round());
    assert_eq!(levels, [1.0, 2.0, 3.0]);
    // Read for each batch, they are the same.
    let files = ImageReader::grey().files(folder.files.clone())?;
    assert_eq!(files.example_shape()[..], [1, 2, 2]);
    let lazy = Dataset::new((files, folder.labels.clone()))?;
    for ((one, labels), (other, same)) in data.batches(2).shuffled(3).zip(lazy.batches(2).shuffled(3)) {
        assert_eq!((one.value(), labels), (other?.value(), same));
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_back_is_not_followed() -> Result<(), Box<dyn Error>> {
    let root = tempfile::tempdir()?;
    let elsewhere = tempfile::tempdir()?;
    saved(elsewhere.path(), "0.png", noise(2, 2));
    // The folder of a class may be a link; in it none is followed.
    std::os::unix::fs::symlink(elsewhere.path(), root.path().join("a"))?;
    std::os::unix::fs::symlink(elsewhere.path(), elsewhere.path().join("again"))?;
    assert_eq!(ImageFolder::new(root.path())?.files, [root.path().join("a/0.png")]);
    Ok(())
}

#[test]
fn the_same_images_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..9)
        .map(|i| saved(folder.path(), &format!("{i}.png"), GrayImage::from_pixel(3, 2, Luma([i]))))
        .collect();
    let all = |threads| {
        with_threads(threads, || {
            Dataset::new(ImageReader::grey().features::<f32>(&paths).unwrap()).unwrap().all().into_value()
        })
    };
    let one = all(1);
    assert_eq!((one.shape()[0], one.at([8, 0, 0, 0])), (9, 8.0 / 255.0));
    assert_eq!(all(3), one);
}

#[test]
fn what_is_wrong_is_told_with_the_first_file_that_has_it() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let good = saved(folder.path(), "good.png", noise(2, 3));
    let larger = saved(folder.path(), "larger.png", noise(3, 3));
    let whole = std::fs::read(&good)?;
    std::fs::write(at("cut.png"), &whole[..whole.len() / 2])?;
    std::fs::write(at("text.png"), "no image")?;
    std::fs::write(at("animation.gif"), b"GIF89a\x01\0\x01\0\0\0\0;")?;
    let reader = ImageReader::grey();
    let wrong = |name: &str| {
        let error = reader.features::<f32>(&[good.clone(), at(name), at("text.png")]).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(name) && !message.contains('\n'), "{message}");
        error
    };
    assert!(matches!(wrong("text.png"), DataError::Image { .. }));
    assert!(matches!(wrong("animation.gif"), DataError::Image { .. }));
    assert!(matches!(wrong("cut.png"), DataError::Image { .. } | DataError::Read { .. }));
    assert!(matches!(wrong("missing.png"), DataError::Read { .. }));
    let DataError::Contents { source, .. } = wrong("larger.png") else { panic!("another size") };
    assert_eq!(source.to_string(), "an example has shape [1, 3, 3], not [1, 2, 3]");
    let (_, pixels) = bytes(reader.resized([2, 3]), &larger);
    assert_eq!(pixels.len(), 6);
    assert!(matches!(reader.read::<f32>(folder.path()), Err(DataError::Read { .. })), "a folder is no image");

    let none: [PathBuf; 0] = [];
    assert!(matches!(reader.features::<f32>(&none), Err(DataError::Empty)));
    assert!(matches!(reader.files(Vec::new()), Err(DataError::Empty)));
    // One that is damaged later is told with its batch, and the others can still be read.
    let lazy = Dataset::new((reader.files(vec![good.clone(), at("cut.png")])?, Tensor::from([0u32, 1])))?;
    let batches: Vec<bool> = lazy.batches(1).map(|(images, _)| images.is_ok()).collect();
    assert_eq!(batches, [true, false]);

    std::fs::create_dir(at("a"))?;
    let error = ImageFolder::new(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("a: the data set is empty"), "{error}");
    assert!(matches!(ImageFolder::new(at("a")), Err(DataError::Contents { .. })), "no class");
    assert!(matches!(ImageFolder::new(at("nowhere")), Err(DataError::Read { .. })));
    Ok(())
}

/// A file of a few bytes that says it is of 2³¹ pixels by as many.
#[test]
fn a_claim_of_a_huge_image_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), "huge.png", noise(1, 1));
    let mut bytes = std::fs::read(&path).unwrap();
    for side in [16, 20] {
        bytes[side..side + 4].copy_from_slice(&0x7fff_ffffu32.to_be_bytes());
    }
    let sum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    std::fs::write(&path, bytes).unwrap();
    let error = ImageReader::rgb().read::<f32>(&path).unwrap_err();
    assert!(matches!(error, DataError::Image { .. }), "{error}");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(
            sum ^ u32::from(byte),
            |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 },
        )
    })
}

#[test]
fn sizes_that_no_image_has_name_the_callers_line() {
    for size in [[0, 3], [3, 0], [1 << 31, 1]] {
        let panic = std::panic::catch_unwind(|| ImageReader::rgb().resized(size)).unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert_eq!(*message, format!("resized: an image of height {} and width {}", size[0], size[1]));
    }
}

/// Twenty-five million pixels in some hundred bytes.
#[test]
fn an_image_that_is_larger_than_its_file_can_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(folder.path(), "a.jpg", noise(8, 8));
    let mut file = std::fs::read(&path).unwrap();
    let frame = file.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    file[frame + 5..frame + 9].copy_from_slice([5000u16, 5000].map(u16::to_be_bytes).as_flattened());
    std::fs::write(&path, &file).unwrap();
    let error = ImageReader::grey().read::<f32>(&path).unwrap_err();
    assert!(matches!(error, DataError::Image { .. }) && error.to_string().contains("limit"), "{error}");
    // The decoder's own words are made one line.
    std::fs::write(&path, &file[..frame + 9]).unwrap();
    let error = ImageReader::grey().read::<f32>(&path).unwrap_err();
    assert!(matches!(error, DataError::Image { .. }) && !error.to_string().contains('\n'), "{error:?}");
    // White is as small as an image gets, and is read.
    let white = saved(folder.path(), "b.png", GrayImage::from_pixel(2000, 1000, Luma([255])));
    assert_eq!(ImageReader::rgb().read::<f32>(&white).unwrap().shape()[..], [3, 1000, 2000]);
}

/// A palette of two colours and a third of another, at which the decoder panics.
#[test]
fn a_decoder_that_panics_gives_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    let file = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x09\0\0\0\x07\x01\x03\0\0\0\xe0\x55\xf5\x23\0\0\0\x07PLTEP\x87\xffUP\x1e0\x51\x8f\x83\x1d\
        \0\0\0\x15IDATx\x9cc\xfc\xdf\xc8\xc4\xc0\xc0\xc4\xc0\xc0p\x80\x01\x0e\0&+\x02F\x9c:\xb9\x0e\0\0\0\0IEND\xaeB\x60\x82";
    std::fs::write(&path, file).unwrap();
    let error = ImageReader::rgb().read::<f32>(&path).unwrap_err();
    assert!(matches!(error, DataError::Image { .. }), "{error}");
}
