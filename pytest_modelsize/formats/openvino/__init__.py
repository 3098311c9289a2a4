"""OpenVINO's IR, read without openvino: `reader` reads both files, `tags` goes through the XML."""
