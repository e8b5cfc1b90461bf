package web_test

import (
	"fmt"

	"github.com/workerman-go/workerman/web"
)

// A form is read while it arrives; here it comes in two pieces.
func ExampleFormReader() {
	form, err := web.NewFormReader("multipart/form-data; boundary=x", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer form.Discard()
	for _, piece := range []string{
		"--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nHolidays\r\n--x\r\nContent-Dispo",
		"sition: form-data; name=\"photo\"; filename=\"C:\\me\\beach.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n...\r\n--x--\r\n",
	} {
		if err := form.Write([]byte(piece)); err != nil {
			fmt.Println(err)
			return
		}
	}
	got, err := form.Close()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer got.Remove()
	photo := got.Uploads[0]
	fmt.Println(got.Fields[0].Value, photo.Field, photo.Name, photo.Type, photo.Size)
	// Output: Holidays photo beach.jpg image/jpeg 3
}
